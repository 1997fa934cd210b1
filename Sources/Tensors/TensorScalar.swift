import CKernels
import COneDNN

/// A number type that tensors compute in: `Float` for work, `Double` for checks and for the sums that decide a result.
///
/// Both conform with the same kernels (one C source compiled twice), so a gradient that agrees with finite differences in
/// `Double` has been checked for `Float` as well. Kernels are called through the operations of `Autograd`, which say what they compute.
public protocol TensorScalar: BinaryFloatingPoint, Sendable, BitwiseCopyable {
    /// What this room computes with; nothing in it is for users.
    static var kernels: Kernels<Self> { get }
}

extension Float: TensorScalar {}
extension Double: TensorScalar {}

/// The nonlinearity after a linear layer, by its name in the field.
package enum Activation: String, Sendable, CaseIterable {
    case identity, gelu, geluTanh, relu, tanh, sigmoid, silu

    package var kernel: Int32 {
        let kind =
            switch self {
            case .identity: KT_IDENTITY
            case .gelu: KT_GELU
            case .geluTanh: KT_GELU_TANH
            case .relu: KT_RELU
            case .tanh: KT_TANH
            case .sigmoid: KT_SIGMOID
            case .silu: KT_SILU
            }
        return Int32(kind.rawValue)
    }
}

/// What matrix products compute in. Sums are always kept in 32 bits or more; everything else stays in the tensor's own type.
public enum Precision: String, Sendable, CaseIterable {
    case f32, bf16, int8

    /// Whether this processor has instructions that make the precision worth its loss.
    public var isFast: Bool {
        switch self {
        case .f32: true
        case .bf16: kd_is_fast(KD_BF16)
        case .int8: kd_is_fast(KD_S8)
        }
    }
}

/// The instruction set that matrix products run on here, for provenance: results are equal to the bit only on one kind of processor.
public var processorKernels: String { String(cString: kd_instruction_set()) }
