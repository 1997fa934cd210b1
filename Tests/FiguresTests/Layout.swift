import Figures

/// What must hold for every picture, whatever its data.
enum Layout {
    /// Faults in a scene: texts that overlap, and texts that leave the page.
    static func faults(_ scene: Scene) -> [String] {
        let typesetter = Typesetter(families: scene.fontFamilies)
        let page = Scene.Rectangle(x: 0, y: 0, width: scene.size.width, height: scene.size.height)
        let boxes = scene.texts.map { ($0.string, typesetter.bounds($0)) }
        var faults: [String] = []
        for (i, (text, box)) in boxes.enumerated() {
            if !page.contains(box) { faults.append("\"\(text)\" leaves the page: \(box)") }
            for (other, second) in boxes[..<i] where box.insetBy(0.25).intersects(second.insetBy(0.25)) {
                faults.append("\"\(text)\" overlaps \"\(other)\"")
            }
        }
        return faults
    }
}
