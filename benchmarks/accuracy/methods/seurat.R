# Seurat's CCA anchors: integration as in its vignette, and its own transfer of types and values.
# Rscript seurat.R INPUTS OUTPUTS SEED

suppressMessages({
  library(Seurat)
  library(Matrix)
})
given <- commandArgs(trailingOnly = TRUE)
inputs <- given[1]
outputs <- given[2]
seed <- as.integer(given[3])
set.seed(seed)
options(future.globals.maxSize = 16e9, Seurat.object.assay.version = "v3")

# Numbers of a .npy file, version 1; a matrix comes as rows x columns.
read_npy <- function(name) {
  file <- file(file.path(inputs, paste0(name, ".npy")), "rb")
  on.exit(close(file))
  readBin(file, "raw", 8)
  header <- rawToChar(readBin(file, "raw", readBin(file, "integer", 1, 2, FALSE, "little")))
  stopifnot(grepl("'fortran_order': False", header, fixed = TRUE))
  shape <- as.integer(strsplit(sub(".*\\(([0-9, ]*)\\).*", "\\1", header), ",")[[1]])
  shape <- shape[!is.na(shape)]
  whole <- grepl("<i4", header, fixed = TRUE)
  stopifnot(whole || grepl("<f4", header, fixed = TRUE))
  values <- readBin(file, if (whole) "integer" else "numeric", prod(shape), 4, endian = "little")
  if (length(shape) == 2) matrix(values, shape[1], shape[2], byrow = TRUE) else values
}

write_npy <- function(name, values) {
  file <- file(file.path(outputs, paste0(name, ".npy")), "wb")
  on.exit(close(file))
  header <- sprintf("{'descr': '<f4', 'fortran_order': True, 'shape': (%d, %d), }",
                    nrow(values), ncol(values))
  padding <- strrep(" ", 64 - (10 + nchar(header) + 1) %% 64)
  header <- paste0(header, padding, "\n")
  writeBin(c(as.raw(0x93), charToRaw("NUMPY"), as.raw(c(1, 0))), file)
  writeBin(nchar(header), file, size = 2, endian = "little")
  writeBin(charToRaw(header), file)
  writeBin(as.numeric(values), file, size = 4, endian = "little")
}

read_names <- function(name) readLines(file.path(inputs, paste0(name, ".txt")))

# An object whose log-normalised values are the given features.
as_seurat <- function(features, prefix) {
  values <- Matrix(t(features), sparse = TRUE)
  dimnames(values) <- list(paste0("f", seq_len(nrow(values))), paste0(prefix, seq_len(ncol(values))))
  object <- CreateSeuratObject(values)
  VariableFeatures(object) <- rownames(values)
  object
}

# Mean expression of each target's genes, targets x reference cells.
target_values <- function(n_cells, cell_names) {
  targets <- strsplit(read_names("targets"), ";", fixed = TRUE)
  genes <- read_names("genes")
  expression <- sparseMatrix(j = read_npy("expression_indices"), p = read_npy("expression_indptr"),
                             x = read_npy("expression_data"), dims = c(n_cells, length(genes)),
                             index1 = FALSE, repr = "C")
  rows <- match(unlist(targets), genes)
  sizes <- lengths(targets)
  mean <- sparseMatrix(i = rows, j = rep(seq_along(sizes), sizes), x = rep(1 / sizes, sizes),
                       dims = c(length(genes), length(sizes)))
  values <- t(expression %*% mean)
  dimnames(values) <- list(paste0("t", seq_len(nrow(values))), cell_names)
  values
}

reference <- as_seurat(read_npy("reference"), "reference")
cells <- as_seurat(read_npy("cells"), "cell")
features <- rownames(reference)
dims <- 1:min(30, length(features) - 1)
types <- read_names("reference_types")
has_targets <- length(read_names("targets")) > 0

started <- proc.time()
anchors <- FindIntegrationAnchors(list(reference, cells), anchor.features = features,
                                  reduction = "cca", dims = dims, verbose = FALSE)
integrated <- IntegrateData(anchors, dims = dims, k.weight = min(100, ncol(cells) - 1),
                            verbose = FALSE)
DefaultAssay(integrated) <- "integrated"
integrated <- ScaleData(integrated, verbose = FALSE)
integrated <- RunPCA(integrated, npcs = max(dims), features = features, seed.use = seed,
                     approx = length(features) > 50, verbose = FALSE)
joint <- Embeddings(integrated, "pca")
embedded <- proc.time()

if (length(types) > 0 || has_targets) {
  found <- FindTransferAnchors(reference, cells, features = features, reduction = "cca",
                               dims = dims, verbose = FALSE)
  if (length(types) > 0) {
    transferred <- TransferData(found, refdata = types, weight.reduction = "cca", dims = dims,
                                verbose = FALSE)
    writeLines(transferred[colnames(cells), "predicted.id"], file.path(outputs, "types.txt"))
  }
  if (has_targets) {
    values <- target_values(ncol(reference), colnames(reference))
    imputed <- TransferData(found, refdata = values, weight.reduction = "cca", dims = dims,
                            verbose = FALSE)
    imputed <- as.matrix(GetAssayData(imputed, slot = "data"))
    write_npy("imputed", t(imputed[rownames(values), colnames(cells)]))
  }
}
ended <- proc.time()

write_npy("reference", joint[colnames(reference), ])
write_npy("cells", joint[colnames(cells), ])
peak <- grep("^VmHWM", readLines("/proc/self/status"), value = TRUE)
spent <- function(from, to) {
  c(to[["elapsed"]] - from[["elapsed"]],
    sum(to[c("user.self", "sys.self")]) - sum(from[c("user.self", "sys.self")]))
}
one <- spent(started, embedded)
two <- spent(embedded, ended)
writeLines(sprintf(
  paste0('{"seconds": {"integration": %f, "transfer": %f}, ',
         '"cpu_seconds": {"integration": %f, "transfer": %f}, ',
         '"peak_mb": %f, "versions": {"Seurat": "%s"}}'),
  one[1], two[1], one[2], two[2], as.numeric(gsub("[^0-9]", "", peak)) * 1024 / 1e6,
  as.character(packageVersion("Seurat"))
), file.path(outputs, "usage.json"))
