import CKernels

/// The C kernels of one number type: each field is a function of `CKernelsTyped.h`, which says what it computes and what its arguments
/// are. The two tables below differ in the last letter of the names, and Swift cannot abstract over that; everything else is written once.
///
/// Only this room calls through the table: its functions take pointers, and `MatrixKernels.swift` and its neighbours hand them over
/// from views that keep their elements alive.
struct KernelTable<S: BitwiseCopyable>: Sendable {
    typealias In = UnsafePointer<S>
    typealias Out = UnsafeMutablePointer<S>
    typealias Rows = UnsafePointer<Int32>
    typealias Offsets = UnsafePointer<Int64>
    typealias Shape = UnsafePointer<kt_attention_shape>
    typealias DisentangledShape = UnsafePointer<kt_disentangled_shape>
    typealias Step = UnsafePointer<kt_optimizer_step>

    // Element by element.
    let activate: @Sendable (Int32, In, Int64, Out) -> Void
    let activateBackward: @Sendable (Int32, In, In, Int64, Out) -> Void
    let activateBoth: @Sendable (Int32, In, In, Int64, Out, Out) -> Void
    let dropout: @Sendable (In, Int64, Double, UInt64, Out) -> Void
    let fill: @Sendable (S, Int64, Out) -> Void
    let add: @Sendable (In, Int64, Out) -> Void
    let addScaled: @Sendable (S, In, Int64, Out) -> Void
    let addProduct: @Sendable (In, In, Int64, Out) -> Void
    let scale: @Sendable (S, Int64, Out) -> Void
    let dot: @Sendable (In, In, Int64) -> Double
    let allFinite: @Sendable (In, Int64) -> Int32
    let indexOfLargest: @Sendable (In, Int64) -> Int64
    let largest: @Sendable (In, Int64, Int64, UnsafeMutablePointer<Int64>) -> Int64

    // Row by row.
    let layerNorm: @Sendable (In, In?, Int64, Int64, In, In?, S, Out?, Out, Out?, Out?) -> Void
    let layerNormBackward: @Sendable (In, Int64, Int64, In, In, In, In, Out, Out, Out?) -> Void
    let softmax: @Sendable (In, Int64, Int64, Out) -> Void
    let logSoftmax: @Sendable (In, Int64, Int64, Out) -> Void
    let crossEntropy: @Sendable (In, Int64, Int64, Rows, S, Out, Out?) -> Void
    let scanScores: @Sendable (In, Int64, Int64, Int64, Rows, Out, Out, UnsafeMutablePointer<Int32>, Out) -> Void
    let gatherRows: @Sendable (In, Int64, Rows, Int64, Int32, Out) -> Void
    let scatterRows: @Sendable (In, Int64, Rows, Int64, Int64, Int64, Out) -> Void
    let addColumnSums: @Sendable (In, Int64, Int64, Out) -> Void
    let addRowVector: @Sendable (In, Int64, Int64, Out) -> Void
    let gate: @Sendable (Int32, In, Int64, Int64, Out) -> Void
    let gateBackward: @Sendable (Int32, In, In, Int64, Int64, Out, Out) -> Void
    let rotate: @Sendable (Out, Int64, Int64, Int64, Int64, Int64, Rows, In, In, S) -> Void
    let rmsNorm: @Sendable (In, Int64, Int64, Int64, Int64, In, S, S, Out, Int64, Out?) -> Void
    let rmsNormBackward: @Sendable (In, Int64, Int64, Int64, Int64, In, S, In, In, Out, Int64, Out) -> Void
    let tokenScores:
        @Sendable (In, Int64, Int64, Rows, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Int64>) -> Void

    // Attention.
    let attention: @Sendable (Shape, In, In, In, In?, S, Out, Out?, Out) -> Void
    let attentionBackward: @Sendable (Shape, In, In, In, In?, S, In, In, In, Out, Out, Out, Out?, Out) -> Void
    let attentionWeights: @Sendable (Shape, Int64, In, In, In?, S, Out, Out) -> Void
    let attendSingly: @Sendable (In, Int64, Int64, In, In, Int64, Offsets, Offsets, Int64, Int64, Int64, S, S, Out, Out) -> Void
    let disentangled: @Sendable (DisentangledShape, In, In, In?, In?, S, Out) -> Void
    let disentangledBackward: @Sendable (DisentangledShape, In, In, In?, In?, S, In, Out, Out, Out?, Out?) -> Void

    // Recurrent networks.
    let lstm: @Sendable (Int64, Int64, Offsets, In, In, Out, Out, Out) -> Void
    let lstmBackward: @Sendable (Int64, Int64, Offsets, In, In, In, In, Out, Out, Out) -> Void
    let gru: @Sendable (Int64, Int64, Offsets, In, In, Out, Out, Out) -> Void
    let gruBackward: @Sendable (Int64, Int64, Offsets, In, In, In, Out, Out, Out) -> Void
    let alignment: @Sendable (Int64, Offsets, Offsets, Int64, Int64, In, In, In?, In, Out, Out) -> Void
    let alignmentBackward: @Sendable (Int64, Offsets, Offsets, Int64, Int64, In, In, In?, In, In, In, In, Out, Out, Out?, Out) -> Void

    // Optimizers.
    let sgd: @Sendable (Out, In, Out?, Int64, Step) -> Void
    let adaGrad: @Sendable (Out, In, Out, Int64, Step) -> Void
    let adam: @Sendable (Out, In, Out, Out, Int64, Step) -> Void
    let lambDirection: @Sendable (In, In, Out, Out, Int64, Step, Out) -> Void

    // Structural probes.
    let probeDistances: @Sendable (In, Int64, Int64, Out) -> Void
    let probeDepths: @Sendable (In, Int64, Int64, Out) -> Void
    let probeDistanceLoss: @Sendable (In, Int64, Int64, UnsafePointer<Float>, S, Out?) -> Double
    let probeDepthLoss: @Sendable (In, Int64, Int64, UnsafePointer<Float>, S, Out?) -> Double
}

/// A number type's kernels and products, behind one reference: the tables are too large to be handed around.
public final class Kernels<S: TensorScalar>: Sendable {
    let c: KernelTable<S>
    let products: ProductTable<S>

    init(_ c: KernelTable<S>, products: ProductTable<S>) {
        self.c = c
        self.products = products
    }
}

extension Float {
    /// The kernels for this number type.
    public static let kernels = Kernels<Float>(
        KernelTable(
            activate: kt_activate_f, activateBackward: kt_activate_backward_f, activateBoth: kt_activate_both_f, dropout: kt_dropout_f,
            fill: kt_fill_f, add: kt_add_f, addScaled: kt_add_scaled_f, addProduct: kt_add_product_f, scale: kt_scale_f, dot: kt_dot_f,
            allFinite: kt_all_finite_f, indexOfLargest: kt_index_of_largest_f, largest: kt_largest_f, layerNorm: kt_layer_norm_f,
            layerNormBackward: kt_layer_norm_backward_f, softmax: kt_softmax_f, logSoftmax: kt_log_softmax_f,
            crossEntropy: kt_cross_entropy_f, scanScores: kt_scan_scores_f, gatherRows: kt_gather_rows_f, scatterRows: kt_scatter_rows_f,
            addColumnSums: kt_add_column_sums_f, addRowVector: kt_add_row_vector_f, gate: kt_gate_f, gateBackward: kt_gate_backward_f,
            rotate: kt_rotate_f, rmsNorm: kt_rms_norm_f, rmsNormBackward: kt_rms_norm_backward_f, tokenScores: kt_token_scores_f,
            attention: kt_attention_f, attentionBackward: kt_attention_backward_f,
            attentionWeights: kt_attention_weights_f, attendSingly: kt_attend_singly_f, disentangled: kt_disentangled_f,
            disentangledBackward: kt_disentangled_backward_f, lstm: kt_lstm_f, lstmBackward: kt_lstm_backward_f, gru: kt_gru_f,
            gruBackward: kt_gru_backward_f, alignment: kt_alignment_f, alignmentBackward: kt_alignment_backward_f, sgd: kt_sgd_f,
            adaGrad: kt_adagrad_f, adam: kt_adam_f, lambDirection: kt_lamb_direction_f, probeDistances: kt_probe_distances_f,
            probeDepths: kt_probe_depths_f, probeDistanceLoss: kt_probe_distance_loss_f, probeDepthLoss: kt_probe_depth_loss_f),
        products: .oneDNN)
}

extension Double {
    /// The kernels for this number type.
    public static let kernels = Kernels<Double>(
        KernelTable(
            activate: kt_activate_d, activateBackward: kt_activate_backward_d, activateBoth: kt_activate_both_d, dropout: kt_dropout_d,
            fill: kt_fill_d, add: kt_add_d, addScaled: kt_add_scaled_d, addProduct: kt_add_product_d, scale: kt_scale_d, dot: kt_dot_d,
            allFinite: kt_all_finite_d, indexOfLargest: kt_index_of_largest_d, largest: kt_largest_d, layerNorm: kt_layer_norm_d,
            layerNormBackward: kt_layer_norm_backward_d, softmax: kt_softmax_d, logSoftmax: kt_log_softmax_d,
            crossEntropy: kt_cross_entropy_d, scanScores: kt_scan_scores_d, gatherRows: kt_gather_rows_d, scatterRows: kt_scatter_rows_d,
            addColumnSums: kt_add_column_sums_d, addRowVector: kt_add_row_vector_d, gate: kt_gate_d, gateBackward: kt_gate_backward_d,
            rotate: kt_rotate_d, rmsNorm: kt_rms_norm_d, rmsNormBackward: kt_rms_norm_backward_d, tokenScores: kt_token_scores_d,
            attention: kt_attention_d, attentionBackward: kt_attention_backward_d,
            attentionWeights: kt_attention_weights_d, attendSingly: kt_attend_singly_d, disentangled: kt_disentangled_d,
            disentangledBackward: kt_disentangled_backward_d, lstm: kt_lstm_d, lstmBackward: kt_lstm_backward_d, gru: kt_gru_d,
            gruBackward: kt_gru_backward_d, alignment: kt_alignment_d, alignmentBackward: kt_alignment_backward_d, sgd: kt_sgd_d,
            adaGrad: kt_adagrad_d, adam: kt_adam_d, lambDirection: kt_lamb_direction_d, probeDistances: kt_probe_distances_d,
            probeDepths: kt_probe_depths_d, probeDistanceLoss: kt_probe_distance_loss_d, probeDepthLoss: kt_probe_depth_loss_d),
        products: .openBLAS)
}
