// Package kubernetes writes a sweep's shards as an Indexed Job of Kubernetes.
//
// A [Job]'s manifest holds the configuration, as a ConfigMap, and a pod template: pod I
// runs shard I, which JOB_COMPLETION_INDEX tells it, into a folder of its own on a
// PersistentVolumeClaim that is there already and that all nodes can write to. A pod
// that fails is run again, up to a few times for each index (backoffLimitPerIndex,
// stable since Kubernetes 1.33), and its shard goes on where it stopped.
//
// Nothing here talks to a cluster: kubectl applies the manifest, and hwsim sweep -merge
// joins what the claim holds afterwards.
package kubernetes
