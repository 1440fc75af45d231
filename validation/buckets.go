package validation

// bucket is a regime: rows that one mechanism decides.
type bucket string

// The regimes, in the order of reports.
const (
	chaseL1     bucket = "L1"
	chaseL1Edge bucket = "L1 edge"
	chaseNear   bucket = "L2 near"
	chaseMixed  bucket = "L2 25-38 MB"
	chaseFar    bucket = "L2 far"
	chaseEdge   bucket = "L2 56-84 MB"
	chaseHBM    bucket = "HBM"
	chaseBeyond bucket = "HBM > 64 GB"
	chaseHost   bucket = "host"
	chasePeer   bucket = "peer"
	chasePages  bucket = "pages"

	rereadL2   bucket = "L2-resident"
	rereadEdge bucket = "50-70 MB"
	rereadHBM  bucket = "from HBM"
	mixes      bucket = "mixes"
	bySMs      bucket = "by SMs and threads"

	chunks32     bucket = "32 B"
	chunks64     bucket = "64 B"
	chunksMiddle bucket = "128-512 B"
	chunksLarge  bucket = ">= 1024 B"
	strided      bucket = "strided"
	hbmByRange   bucket = "HBM by range"
	hbmByLoad    bucket = "HBM by concurrency"

	hostBefore bucket = "host gather to 512 MB"
	hostAt     bucket = "host gather to 1 GB"
	hostBeyond bucket = "host gather beyond"
	hostByLoad bucket = "host by concurrency"
	peerGather bucket = "peer gather"
	peerByLoad bucket = "peer by concurrency"

	hostInPlace bucket = "host in place"
	peerInPlace bucket = "peer in place"
	copySmall   bucket = "copies < 64 KB"
	copyLarge   bucket = "copies"
	copyBoth    bucket = "copies both ways"
	copySync    bucket = "copy to done"
	peerSmall   bucket = "peer copies < 64 KB"
	peerLarge   bucket = "peer copies"

	dmaSmall     bucket = "DMA < 64 KB"
	dmaLarge     bucket = "DMA"
	kernelSmall  bucket = "SM kernel < 64 KB"
	kernelLarge  bucket = "SM kernel"
	dmaBatch     bucket = "DMA batch"
	dmaBatchElse bucket = "DMA batch elsewhere"

	loadedLatency  bucket = "latency to 90 %"
	loadedBeyond   bucket = "latency beyond 90 %"
	loadedStream   bucket = "stream to 90 %"
	loadedReads    bucket = "saturation w0of4"
	loadedQuarter  bucket = "saturation w1of4"
	loadedHalf     bucket = "saturation w2of4"
	loadedThree    bucket = "saturation w3of4"
	loadedWrites   bucket = "saturation w4of4"
	loadedFewerSMs bucket = "saturation, fewer SMs"

	aTogether bucket = "a together"
	bTogether bucket = "b together"
	aAlone    bucket = "a alone"
	bAlone    bucket = "b alone"

	graphNodes bucket = "graph nodes"
	launches   bucket = "launch"

	wholeSteps      bucket = "whole steps"
	offloadNone     bucket = "host fraction 0"
	offloadPrefetch bucket = "prefetch"
	offloadOnDemand bucket = "ondemand"

	linearNarrow bucket = "m to 64"
	linearMiddle bucket = "m 65-512"
	linearWide   bucket = "m from 513"

	productsSmall  bucket = "weights < 10 MB"
	productsNarrow bucket = "products, m to 64"
	productsMiddle bucket = "products, m 65-512"
	productsWide   bucket = "products, m from 513"

	cpuCached bucket = "to 128 MiB"
	cpuMemory bucket = "more than 128 MiB"

	messagesSmall  bucket = "to 1 MiB"
	messagesMiddle bucket = "to 32 MiB"
	messagesLarge  bucket = "from 32 MiB"

	attentionContiguous bucket = "bf16 contiguous"
	attentionPaged      bucket = "bf16 paged"
	attentionInt8       bucket = "int8"
	attentionHost       bucket = "KV in host memory"
	attentionPeer       bucket = "KV in a peer's HBM"

	retrievalScore  bucket = "score"
	retrievalTop    bucket = "top-k"
	retrievalFetch  bucket = "fetch"
	retrievalAttend bucket = "attend"
	retrievalLayer  bucket = "layer"

	libraryAmpere      bucket = "A100 vLLM"
	libraryAmpereWhole bucket = "A100 vLLM, nothing cut"
	libraryHopper      bucket = "H200 vLLM"
	libraryAda         bucket = "L40S vLLM"
	libraryShort       bucket = "kv_len < 512"
	libraryEqual       bucket = "RTX PRO 6000 vLLM"
	librarySkewed      bucket = "RTX PRO 6000 vLLM, two lengths"
	librarySGLang      bucket = "A100 SGLang"
	libraryFlashInfer  bucket = "A800 FlashInfer"
	libraryLatent      bucket = "A100 vLLM MLA"
	libraryLatentHost  bucket = "A100 vLLM MLA, host"
	prefills           bucket = "prompts to 8192"
	prefillsLong       bucket = "prompts beyond 8192"

	hostReads   bucket = "saturation, reads"
	hostMixed   bucket = "saturation, 1:1"
	hostHalf    bucket = "latency at 50 %"
	hostMost    bucket = "latency at 80 %"
	linkCeiling bucket = "link ceiling"
)

// allRows is the whole table.
const allRows bucket = "all"

// unbounded is the bound of a regime that none is stated for.
const unbounded = 0

// bounds are the greatest MAPE of each regime, in percent. Their order is
// that of reports.
var bounds = []struct {
	bucket
	percent float64
}{
	{chaseL1, 5}, {chaseL1Edge, 12}, {chaseNear, 5}, {chaseMixed, 12}, {chaseFar, 5}, {chaseEdge, 12}, {chaseHBM, 5}, {chaseBeyond, 5},
	{chaseHost, 5}, {chasePeer, 5}, {chasePages, 5},

	{rereadL2, 5}, {rereadEdge, 12}, {rereadHBM, 5}, {mixes, 5}, {bySMs, 5},

	{chunks32, 8}, {chunks64, 8}, {chunksMiddle, 8}, {chunksLarge, 8}, {strided, 8}, {hbmByRange, 8}, {hbmByLoad, 8},
	{hostBefore, 10}, {hostAt, 10}, {hostBeyond, 10}, {hostByLoad, 10}, {peerGather, 10}, {peerByLoad, 10},

	{hostInPlace, unbounded}, {peerInPlace, unbounded},
	{copySmall, 6}, {copyLarge, 6}, {copyBoth, 6}, {copySync, 6}, {peerSmall, 6}, {peerLarge, 6},
	{dmaSmall, 6}, {dmaLarge, 6}, {kernelSmall, 6}, {kernelLarge, 6}, {dmaBatch, 20}, {dmaBatchElse, unbounded},

	{loadedLatency, 8}, {loadedBeyond, unbounded}, {loadedStream, unbounded},
	{loadedReads, 3}, {loadedQuarter, 3}, {loadedHalf, 3}, {loadedThree, 3}, {loadedWrites, 3}, {loadedFewerSMs, unbounded},

	{aTogether, 6}, {bTogether, 6}, {aAlone, unbounded}, {bAlone, unbounded},

	{graphNodes, 10}, {launches, 10},

	{wholeSteps, 2.5},
	{"qkv", 10}, {"rope", 10}, {"attention", 10}, {"attention_reduce", 10}, {"o", 10}, {"splitk_reduce", 10}, {"copy", 10}, {"norm", 10},
	{"up", 10}, {"activation", 10}, {"down", 10}, {"lm_head", 10},
	{offloadNone, unbounded}, {offloadPrefetch, 1.5}, {offloadOnDemand, 1.5},

	{linearNarrow, 3}, {linearMiddle, 8}, {linearWide, 8},
	{productsSmall, unbounded}, {productsNarrow, 5}, {productsMiddle, 12}, {productsWide, unbounded},

	{cpuCached, 20}, {cpuMemory, 20},

	{messagesSmall, 10}, {messagesMiddle, 10}, {messagesLarge, 10},

	{attentionContiguous, 4}, {attentionPaged, 6}, {attentionInt8, 8}, {attentionHost, 2}, {attentionPeer, 3},

	{retrievalScore, 15}, {retrievalTop, 15}, {retrievalFetch, 15}, {retrievalAttend, 15}, {retrievalLayer, 12},

	{libraryAmpere, 8}, {libraryAmpereWhole, 10}, {libraryHopper, 9}, {libraryAda, 12}, {libraryShort, unbounded},
	{libraryEqual, 6}, {librarySkewed, 6}, {librarySGLang, 5}, {libraryFlashInfer, 6}, {libraryLatent, 12}, {libraryLatentHost, unbounded}, {prefills, 8}, {prefillsLong, 8},

	{hostReads, 5}, {hostMixed, 5}, {hostHalf, 15}, {hostMost, 15}, {linkCeiling, 1},
}
