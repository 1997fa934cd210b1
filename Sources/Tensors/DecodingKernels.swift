import CKernels

/// Kernels of networks that write token after token; see `CKernelsDecoding.h` for what each computes.
public protocol DecodingKernels {
    static func attendSingly(
        _ q: UnsafePointer<Self>, stride qStride: Int, queries: Int, keys k: UnsafePointer<Self>, values v: UnsafePointer<Self>, stride: Int,
        firstKeys: UnsafePointer<Int64>, keyCounts: UnsafePointer<Int64>, heads: Int, headSize: Int, scale: Self,
        into out: UnsafeMutablePointer<Self>, scratch: UnsafeMutablePointer<Self>
    )
    static func scanScores(
        _ x: UnsafePointer<Self>, rows: Int, columns: Int, first: Int, wanted: UnsafePointer<Int32>, top: UnsafeMutablePointer<Self>,
        total: UnsafeMutablePointer<Self>, best: UnsafeMutablePointer<Int32>, at: UnsafeMutablePointer<Self>
    )
}

// As in Kernels.swift: alike but for the suffix of the C names.

extension Float: DecodingKernels {
    public static func attendSingly(
        _ q: UnsafePointer<Self>, stride qStride: Int, queries: Int, keys k: UnsafePointer<Self>, values v: UnsafePointer<Self>, stride: Int,
        firstKeys: UnsafePointer<Int64>, keyCounts: UnsafePointer<Int64>, heads: Int, headSize: Int, scale: Self,
        into out: UnsafeMutablePointer<Self>, scratch: UnsafeMutablePointer<Self>
    ) {
        kt_attend_singly_f(q, Int64(qStride), Int64(queries), k, v, Int64(stride), firstKeys, keyCounts, Int64(heads), Int64(headSize), scale, out, scratch)
    }

    public static func scanScores(
        _ x: UnsafePointer<Self>, rows: Int, columns: Int, first: Int, wanted: UnsafePointer<Int32>, top: UnsafeMutablePointer<Self>,
        total: UnsafeMutablePointer<Self>, best: UnsafeMutablePointer<Int32>, at: UnsafeMutablePointer<Self>
    ) {
        kt_scan_scores_f(x, Int64(rows), Int64(columns), Int64(first), wanted, top, total, best, at)
    }
}

extension Double: DecodingKernels {
    public static func attendSingly(
        _ q: UnsafePointer<Self>, stride qStride: Int, queries: Int, keys k: UnsafePointer<Self>, values v: UnsafePointer<Self>, stride: Int,
        firstKeys: UnsafePointer<Int64>, keyCounts: UnsafePointer<Int64>, heads: Int, headSize: Int, scale: Self,
        into out: UnsafeMutablePointer<Self>, scratch: UnsafeMutablePointer<Self>
    ) {
        kt_attend_singly_d(q, Int64(qStride), Int64(queries), k, v, Int64(stride), firstKeys, keyCounts, Int64(heads), Int64(headSize), scale, out, scratch)
    }

    public static func scanScores(
        _ x: UnsafePointer<Self>, rows: Int, columns: Int, first: Int, wanted: UnsafePointer<Int32>, top: UnsafeMutablePointer<Self>,
        total: UnsafeMutablePointer<Self>, best: UnsafeMutablePointer<Int32>, at: UnsafeMutablePointer<Self>
    ) {
        kt_scan_scores_d(x, Int64(rows), Int64(columns), Int64(first), wanted, top, total, best, at)
    }
}
