// Package models describes the shape of a decoder-only transformer: which
// tensors it holds and which matrix products one layer computes for each new
// token. Attention may be multi-head, grouped-query (GQA) or multi-head
// latent (MLA); the feed-forward part dense or a mixture of experts (MoE).
//
// A Model is plain data, read from a preset in configs/models. Its functions
// are pure and know nothing about hardware: element widths are arguments,
// and tensor parallelism only yields a smaller Model, the share of one rank.
//
// Shapes follow the config.json that each model's authors published, and
// parameter counts are checked against their published totals. Left out are
// everything decoding does not read (dropout, multi-token-prediction
// modules), activation functions, and buffers that are computed and not
// stored, such as rotary tables.
package models
