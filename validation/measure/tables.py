"""Turns what run.sh measured into tables for `hwsim validate -data`, laid out as validation/h200.

python3 tables.py RUN DIR [REPEAT]   RUN, REPEAT: output folders of run.sh, of one machine and of another of its kind
"""
import csv, os, sys

# Figures of which a table tells the repeat, each in a column behind its own. Not latency.csv and links.csv: as in validation/h200.
REPEATED = {
    "bandwidth": ["GBps"], "gather": ["GBps"], "span": ["GBps"], "pages": ["GBps"], "loaded": ["latency_ns"], "interfere": ["a_together_GBps"], "launch": ["us"],
    "linear": ["us_median"], "attn_decode": ["us_median"], "attn_remote": ["us_median"], "decode_step": ["us_median"], "decode_kernels": ["us_total"],
    "decode_offload": ["us_per_layer_median"],
}
# What was measured, not how much it was.
KEYS = {
    "test", "param", "range_bytes", "blocks", "threads", "cache_op", "nodes", "writes", "streaming_sms", "pause_cycles", "pair",
    "model", "op", "m", "n", "k", "dtype", "q_heads", "kv_heads", "head_dim", "batch", "context", "page_tokens", "layout", "kv_dtype", "splits", "place",
    "layers", "kernel", "layers_run", "host_fraction", "mode",
}

def read(path):
    """The tables in a file, each a header and rows. host.csv and peer.csv have two: transfers, then chases."""
    tables = []
    with open(path, newline="") as f:
        for cells in csv.reader(f):
            if not tables or cells[0] == tables[0][0][0] == "test": tables.append((cells, []))
            elif len(cells) == len(tables[-1][0]) and cells[0] != "peer_access": tables[-1][1].append(cells)  # a row cut short was the last of a run that failed
    return tables

def run(folder):
    """The tables of a run by name."""
    folder = os.path.join(folder, "r") if os.path.isdir(os.path.join(folder, "r")) else folder
    tables, links, chases = {}, None, None
    for file in sorted(os.listdir(folder)):
        name, extension = os.path.splitext(file)
        if extension != ".csv" or name == "gpu": continue
        found = read(os.path.join(folder, file))
        if not found: continue
        if name == "props": tables[name] = (["property", "value"], [found[0][0]] + found[0][1])
        elif name in ("host", "peer"):
            for header, rows in found:
                if "ns_per_access" in header: chases = (header, (chases[1] if chases else []) + rows)
                else: links = (header, (links[1] if links else []) + rows)
        elif name == "decode_kernels": tables[name] = (found[0][0], [r for r in found[0][1] if float(r[-1]) > 0])  # the profiler's own entries take no time
        else: tables[name] = found[0]
    if links: tables["links"] = links
    if chases: tables["latency"] = (chases[0], tables["latency"][1] + chases[1] if "latency" in tables else chases[1])
    return tables

def numbered(header, rows):
    """Rows by what they measured; equal ones by their number too."""
    at, seen = [i for i, c in enumerate(header) if c in KEYS], {}
    for r in rows:
        key = tuple(r[i] for i in at); seen[key] = seen.get(key, 0) + 1
        yield key + (seen[key],), r

def repeated(table, again, columns):
    """The table with the repeat's figures behind its own, empty where the repeat has no such row."""
    header, rows = table; other = dict(numbered(*again)); out, wide = [], []
    for c in header: wide += [c, c + "_repeat"] if c in columns else [c]
    for key, r in numbered(header, rows):
        o = other.get(key); cells = []
        for c, v in zip(header, r): cells += [v, o[again[0].index(c)] if o else ""] if c in columns else [v]
        out.append(cells)
    return wide, out

def main():
    if len(sys.argv) not in (3, 4): sys.exit(__doc__)
    tables, again = run(sys.argv[1]), run(sys.argv[3]) if len(sys.argv) == 4 else {}
    if not tables: sys.exit(f"{sys.argv[1]}: no CSV files of run.sh in it")
    os.makedirs(sys.argv[2], exist_ok=True)
    for name, table in tables.items():
        if name in again and name in REPEATED: table = repeated(table, again[name], REPEATED[name])
        with open(os.path.join(sys.argv[2], name + ".csv"), "w", newline="") as f:
            w = csv.writer(f, lineterminator="\n"); w.writerow(table[0]); w.writerows(table[1])
        print(f"{name}.csv: {len(table[1])} rows")

main()
