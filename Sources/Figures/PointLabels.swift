/// Words as labels: how much room they want, and what is drawn where they have found a place.
extension LabelPlacement {
    static func request(
        _ text: String, at anchor: Point, size: Double, clearance: Double, _ typesetter: Typesetter, bold: Bool = false,
        mayCoverAnchor: Bool = false
    ) -> Request {
        let m = typesetter.measure(text, size: size, bold: bold)
        return Request(anchor: anchor, width: m.width, height: m.ascent + m.descent, clearance: clearance, mayCoverAnchor: mayCoverAnchor)
    }

    /// The labels that have a place, with the lines that lead to their points.
    static func elements(
        _ placed: [Placed?], _ names: [String], size: Double, bold: Bool = false, _ typesetter: Typesetter,
        color: (Int) -> Color = { _ in .ink }
    ) -> [Scene.Element] {
        var leaders: [Scene.Element] = []
        var texts: [Scene.Element] = []
        for (i, label) in placed.enumerated() {
            guard let label else { continue }
            if let line = label.leader { leaders.append(.line(line.from, line.to, .stroke(.grey, width: 0.35))) }
            let ascent = typesetter.measure(names[i], size: size, bold: bold).ascent
            texts.append(
                .text(
                    Scene.Text(
                        names[i], at: Point(label.box.x, label.box.y + ascent), size: size, color: color(i), bold: bold, halo: .white)))
        }
        return [.group(Scene.Group(leaders, name: "leaders")), .group(Scene.Group(texts, name: "labels"))]
    }
}
