import CKernels
import CLAPACK
import COneDNN

/// A number type that tensors compute in: `Float` for work, `Double` for checks and for the sums that decide a result.
///
/// Both conform with the same kernels (one C source compiled twice), so a gradient that agrees with finite differences in
/// `Double` has been checked for `Float` as well. Pointers are row-major and contiguous; see `CKernels.h` for what each
/// kernel computes. Library code calls these through the operations of `Autograd`; analyses may call them directly.
public protocol TensorScalar: BinaryFloatingPoint, RecurrentKernels, Sendable, BitwiseCopyable, EncoderKernels, DecodingKernels {
    typealias Input = UnsafePointer<Self>
    typealias Output = UnsafeMutablePointer<Self>

    /// Packs a weight matrix, element (input, output) at `source[input * inputStride + output * outputStride]`.
    static func pack(_ source: Input, inputs: Int, outputs: Int, inputStride: Int, outputStride: Int, precision: Precision) -> PackedMatrix<Self>
    /// Puts the new values of a weight matrix, lying as they did for `pack`, into its layout. Nobody may multiply meanwhile.
    static func repack(_ matrix: PackedMatrix<Self>, _ source: Input)
    /// y (rows, outputs) = x (rows, inputs) · matrix + bias.
    static func multiply(_ x: Input, rows: Int, by matrix: PackedMatrix<Self>, bias: Input?, into y: Output)
    /// c (m, n) = op(a) · op(b) [+ c], a transposed operand lying in memory as its transpose.
    static func product(
        _ a: Input, transposed aTransposed: Bool, _ b: Input, transposed bTransposed: Bool,
        m: Int, n: Int, k: Int, lda: Int, ldb: Int, into c: Output, ldc: Int, accumulate: Bool, precision: Precision
    )

    /// y (rows, outputs) = f(x · matrix + bias), the way that inference is fastest.
    static func multiply(_ x: Input, rows: Int, by matrix: PackedMatrix<Self>, bias: Input?, activation: Activation, into y: Output)
    /// y (rows, down's outputs) = m · down + downBias with m = f(x · up + upBias), or f(left half) ∘ right half of it where `gated`.
    static func feedForward(
        _ x: Input, rows: Int, up: PackedMatrix<Self>, upBias: Input?, activation: Activation, gated: Bool,
        down: PackedMatrix<Self>, downBias: Input?, into y: Output
    )
    /// Elements as products of `precision` take them: bfloat16 for Float in bf16, a copy otherwise.
    static func convertOperand(_ x: Input, count: Int, precision: Precision, into y: UnsafeMutableRawPointer)
    /// As `multiply`, x converted by `convertOperand` before.
    static func multiply(operand x: UnsafeRawPointer, rows: Int, by matrix: PackedMatrix<Self>, bias: Input?, into y: Output)
    /// As `product`, a and b converted by `convertOperand` before.
    static func product(
        operand a: UnsafeRawPointer, transposed aTransposed: Bool, operand b: UnsafeRawPointer, transposed bTransposed: Bool,
        m: Int, n: Int, k: Int, lda: Int, ldb: Int, into c: Output, ldc: Int, accumulate: Bool, precision: Precision
    )

    static func activate(_ kind: Activation, _ x: Input, count: Int, into y: Output)
    /// y = f(x) and dx = dy f'(x) at once; dx may be dy.
    static func activateBoth(_ kind: Activation, _ x: Input, _ dy: Input, count: Int, into y: Output, _ dx: Output)
    static func activateBackward(_ kind: Activation, _ x: Input, _ dy: Input, count: Int, addingTo dx: Output)
    static func layerNorm(
        _ x: Input, residual: Input?, rows: Int, columns: Int, gamma: Input, beta: Input?, epsilon: Self,
        sum: Output?, into y: Output, mean: Output?, reciprocalDeviation: Output?
    )
    static func layerNormBackward(
        _ x: Input, rows: Int, columns: Int, gamma: Input, mean: Input, reciprocalDeviation: Input, _ dy: Input,
        into dx: Output, addingTo dgamma: Output, _ dbeta: Output?
    )
    static func softmax(_ x: Input, rows: Int, columns: Int, into y: Output)
    static func logSoftmax(_ x: Input, rows: Int, columns: Int, into y: Output)
    /// The place of the largest of `count` numbers, the first of equal ones; 0 where the first is no number.
    static func indexOfLargest(_ x: Input, count: Int) -> Int
    static func crossEntropy(
        _ x: Input, rows: Int, columns: Int, targets: UnsafePointer<Int32>, smoothing: Self, loss: Output, gradient: Output?
    )
    static func attention(
        _ shape: kt_attention_shape, _ q: Input, _ k: Input, _ v: Input, bias: Input?, scale: Self,
        into out: Output, logSums: Output?, scratch: Output
    )
    static func attentionBackward(
        _ shape: kt_attention_shape, _ q: Input, _ k: Input, _ v: Input, bias: Input?, scale: Self,
        out: Input, logSums: Input, _ dout: Input, addingTo dq: Output, _ dk: Output, _ dv: Output, dbias: Output?, scratch: Output
    )
    static func attentionWeights(
        _ shape: kt_attention_shape, segment: Int, _ q: Input, _ k: Input, bias: Input?, scale: Self, into weights: Output, scratch: Output
    )
    /// y = x with elements zeroed at `rate`, the others grown by 1 / (1 − rate); which ones is a function of seed and place.
    static func dropout(_ x: Input, count: Int, rate: Double, seed: UInt64, into y: Output)
    /// y[i] = table[rows[i]], or added to it; rows have `width` elements.
    static func gatherRows(_ table: Input, width: Int, _ rows: [Int32], adding: Bool, into y: Output)
    /// table[rows[i] − first] += x[i] for the rows that lie in `range`, in the order of i; `table` begins with row `range.lowerBound`.
    static func scatterRows(_ x: Input, width: Int, _ rows: [Int32], within range: Range<Int>, addingTo table: Output)
    /// x = value, everywhere.
    static func fill(_ x: Output, with value: Self, count: Int)
    /// y += x
    static func add(_ x: Input, count: Int, to y: Output)
    /// y += a x
    static func add(_ a: Self, times x: Input, count: Int, to y: Output)
    /// y += a ∘ b
    static func addProduct(_ a: Input, _ b: Input, count: Int, to y: Output)
    /// x *= a
    static func scale(_ x: Output, by a: Self, count: Int)
    /// Σ x y, summed in Double.
    static func dot(_ x: Input, _ y: Input, count: Int) -> Double
    static func addColumnSums(_ x: Input, rows: Int, columns: Int, to sums: Output)
    static func addRowVector(_ vector: Input, rows: Int, columns: Int, to x: Output)
    /// One step of SGD, with momentum where there is a velocity.
    static func stepSGD(_ p: Output, _ gradient: Input, velocity: Output?, count: Int, _ step: kt_optimizer_step)
    static func stepAdaGrad(_ p: Output, _ gradient: Input, sums: Output, count: Int, _ step: kt_optimizer_step)
    static func stepAdam(_ p: Output, _ gradient: Input, _ m: Output, _ v: Output, count: Int, _ step: kt_optimizer_step)
    static func lambDirection(_ p: Input, _ gradient: Input, _ m: Output, _ v: Output, count: Int, _ step: kt_optimizer_step, into direction: Output)
    static func allFinite(_ x: Input, count: Int) -> Bool
}

/// The nonlinearity after a linear layer, by its name in the field.
public enum Activation: String, Sendable, CaseIterable {
    case identity, gelu, geluTanh, relu, tanh, sigmoid, silu

    package var kernel: Int32 {
        let kind = switch self {
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

/// Elements of scratch memory that one call of an attention kernel needs.
package func attentionScratch(longestQueries: Int, longestKeys: Int, headSize: Int) -> Int {
    Int(kt_attention_scratch(Int64(longestQueries), Int64(longestKeys), Int64(headSize)))
}

/// The instruction set that matrix products run on here, for provenance: results are equal to the bit only on one kind of processor.
public var processorKernels: String { String(cString: kd_instruction_set()) }
