import CKernels

/// Kernels that only some encoder families need; see `CKernelsEncoders.h` for what each computes.
public protocol EncoderKernels {
    typealias Angles = (cosines: UnsafePointer<Self>, sines: UnsafePointer<Self>)

    static func rotate(
        _ x: UnsafeMutablePointer<Self>, rows: Int, stride: Int, heads: Int, headSize: Int, positions: UnsafePointer<Int32>,
        _ angles: Angles, backward: Bool
    )
    static func gate(_ kind: Activation, _ x: UnsafePointer<Self>, rows: Int, width: Int, into y: UnsafeMutablePointer<Self>)
    static func gateBackward(
        _ kind: Activation, _ x: UnsafePointer<Self>, _ dy: UnsafePointer<Self>, rows: Int, width: Int,
        addingTo dx: UnsafeMutablePointer<Self>, scratch: UnsafeMutablePointer<Self>
    )
    static func disentangled(
        _ shape: kt_disentangled_shape, _ q: UnsafePointer<Self>, _ k: UnsafePointer<Self>, positionKeys: UnsafePointer<Self>?,
        positionQueries: UnsafePointer<Self>?, scale: Self, into scores: UnsafeMutablePointer<Self>
    )
    static func disentangledBackward(
        _ shape: kt_disentangled_shape, _ q: UnsafePointer<Self>, _ k: UnsafePointer<Self>, positionKeys: UnsafePointer<Self>?,
        positionQueries: UnsafePointer<Self>?, scale: Self, _ dscores: UnsafePointer<Self>, addingTo dq: UnsafeMutablePointer<Self>,
        _ dk: UnsafeMutablePointer<Self>, _ dpositionKeys: UnsafeMutablePointer<Self>?, _ dpositionQueries: UnsafeMutablePointer<Self>?
    )
}

extension TensorScalar {
    /// Attention with operands rounded to bfloat16; false where the scalar, the head size or the processor does not allow it.
    package static func attentionInHalves(
        _ shape: kt_attention_shape, _ q: Input, _ k: Input, _ v: Input, scale: Self, into out: Output, scratch: Output
    ) -> Bool {
        guard Self.self == Float.self, shape.head_size % 16 == 0, Precision.bf16.isFast else { return false }
        func floats(_ pointer: Input) -> UnsafePointer<Float> { UnsafeRawPointer(pointer).assumingMemoryBound(to: Float.self) }
        func floats(_ pointer: Output) -> UnsafeMutablePointer<Float> { UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: Float.self) }
        withUnsafePointer(to: shape) { kt_attention_halves($0, floats(q), floats(k), floats(v), Float(scale), floats(out), floats(scratch)) }
        return true
    }
}

// As in Kernels.swift: alike but for the suffix of the C names.

extension Float: EncoderKernels {
    public static func rotate(
        _ x: UnsafeMutablePointer<Self>, rows: Int, stride: Int, heads: Int, headSize: Int, positions: UnsafePointer<Int32>,
        _ angles: Angles, backward: Bool
    ) {
        kt_rotate_f(x, Int64(rows), Int64(stride), Int64(heads), Int64(headSize), positions, angles.cosines, angles.sines, backward ? -1 : 1)
    }

    public static func gate(_ kind: Activation, _ x: UnsafePointer<Self>, rows: Int, width: Int, into y: UnsafeMutablePointer<Self>) {
        kt_gate_f(kind.kernel, x, Int64(rows), Int64(width), y)
    }

    public static func gateBackward(
        _ kind: Activation, _ x: UnsafePointer<Self>, _ dy: UnsafePointer<Self>, rows: Int, width: Int,
        addingTo dx: UnsafeMutablePointer<Self>, scratch: UnsafeMutablePointer<Self>
    ) {
        kt_gate_backward_f(kind.kernel, x, dy, Int64(rows), Int64(width), dx, scratch)
    }

    public static func disentangled(
        _ shape: kt_disentangled_shape, _ q: UnsafePointer<Self>, _ k: UnsafePointer<Self>, positionKeys: UnsafePointer<Self>?,
        positionQueries: UnsafePointer<Self>?, scale: Self, into scores: UnsafeMutablePointer<Self>
    ) {
        withUnsafePointer(to: shape) { kt_disentangled_f($0, q, k, positionKeys, positionQueries, scale, scores) }
    }

    public static func disentangledBackward(
        _ shape: kt_disentangled_shape, _ q: UnsafePointer<Self>, _ k: UnsafePointer<Self>, positionKeys: UnsafePointer<Self>?,
        positionQueries: UnsafePointer<Self>?, scale: Self, _ dscores: UnsafePointer<Self>, addingTo dq: UnsafeMutablePointer<Self>,
        _ dk: UnsafeMutablePointer<Self>, _ dpositionKeys: UnsafeMutablePointer<Self>?, _ dpositionQueries: UnsafeMutablePointer<Self>?
    ) {
        withUnsafePointer(to: shape) {
            kt_disentangled_backward_f($0, q, k, positionKeys, positionQueries, scale, dscores, dq, dk, dpositionKeys, dpositionQueries)
        }
    }
}

extension Double: EncoderKernels {
    public static func rotate(
        _ x: UnsafeMutablePointer<Self>, rows: Int, stride: Int, heads: Int, headSize: Int, positions: UnsafePointer<Int32>,
        _ angles: Angles, backward: Bool
    ) {
        kt_rotate_d(x, Int64(rows), Int64(stride), Int64(heads), Int64(headSize), positions, angles.cosines, angles.sines, backward ? -1 : 1)
    }

    public static func gate(_ kind: Activation, _ x: UnsafePointer<Self>, rows: Int, width: Int, into y: UnsafeMutablePointer<Self>) {
        kt_gate_d(kind.kernel, x, Int64(rows), Int64(width), y)
    }

    public static func gateBackward(
        _ kind: Activation, _ x: UnsafePointer<Self>, _ dy: UnsafePointer<Self>, rows: Int, width: Int,
        addingTo dx: UnsafeMutablePointer<Self>, scratch: UnsafeMutablePointer<Self>
    ) {
        kt_gate_backward_d(kind.kernel, x, dy, Int64(rows), Int64(width), dx, scratch)
    }

    public static func disentangled(
        _ shape: kt_disentangled_shape, _ q: UnsafePointer<Self>, _ k: UnsafePointer<Self>, positionKeys: UnsafePointer<Self>?,
        positionQueries: UnsafePointer<Self>?, scale: Self, into scores: UnsafeMutablePointer<Self>
    ) {
        withUnsafePointer(to: shape) { kt_disentangled_d($0, q, k, positionKeys, positionQueries, scale, scores) }
    }

    public static func disentangledBackward(
        _ shape: kt_disentangled_shape, _ q: UnsafePointer<Self>, _ k: UnsafePointer<Self>, positionKeys: UnsafePointer<Self>?,
        positionQueries: UnsafePointer<Self>?, scale: Self, _ dscores: UnsafePointer<Self>, addingTo dq: UnsafeMutablePointer<Self>,
        _ dk: UnsafeMutablePointer<Self>, _ dpositionKeys: UnsafeMutablePointer<Self>?, _ dpositionQueries: UnsafeMutablePointer<Self>?
    ) {
        withUnsafePointer(to: shape) {
            kt_disentangled_backward_d($0, q, k, positionKeys, positionQueries, scale, dscores, dq, dk, dpositionKeys, dpositionQueries)
        }
    }
}
