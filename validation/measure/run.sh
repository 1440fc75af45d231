#!/bin/bash
# Runs on the machine with the GPU: run.sh OUTDIR PART...  Parts: of micro.cu (latency bandwidth gather loaded host launch peer span pages interfere),
# llm.py (attn linear prefill kinfo step offload remote), tiers.py (retrieve cpuattn allreduce), stream.c (cpu). See README.md.
out=$1; shift; here=$(cd "$(dirname "$0")" && pwd); mkdir -p "$out/r"; export PYTHONUNBUFFERED=1
nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,pcie.link.gen.current,pcie.link.width.current --format=csv >"$out/r/gpu.csv" 2>&1; lscpu >"$out/r/lscpu.txt" 2>&1
cap=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
cc() { nvcc -O3 -std=c++17 -arch="sm_$cap" -o "$out/micro" "$@" "$here/micro.cu"; }
[ "$out/micro" -nt "$here/micro.cu" ] || cc || cc -DNOBATCH || exit 1
"$out/micro" props >"$out/r/props.csv"; cat "$out/r/gpu.csv" "$out/r/props.csv"
for p in "$@"; do t=$SECONDS; case $p in
  latency|bandwidth|gather|loaded|host|launch|peer|span|pages|interfere) timeout 200 "$out/micro" $p >"$out/r/$p.csv" 2>"$out/r/$p.err" || { echo "$p failed"; tail -3 "$out/r/$p.err"; };;
  cpu) gcc -Ofast -march=native -fopenmp -o "$out/stream" "$here/stream.c" && timeout 120 "$out/stream" >"$out/r/cpu.csv" 2>&1;;
  retrieve|cpuattn) timeout 400 python3 "$here/tiers.py" "$out/r" $p 2>"$out/r/$p.err" || { echo "$p failed"; tail -5 "$out/r/$p.err"; };;
  allreduce) timeout 400 torchrun --nproc_per_node 2 "$here/tiers.py" "$out/r" $p 2>"$out/r/$p.err" || { echo "$p failed"; tail -5 "$out/r/$p.err"; };;
  *) timeout 400 python3 "$here/llm.py" "$out/r" $p 2>"$out/r/$p.err" || { echo "$p failed"; tail -5 "$out/r/$p.err"; };;
 esac; echo "== $p $((SECONDS-t)) s"; tar czf "$out/results.tgz" -C "$out" r; done
