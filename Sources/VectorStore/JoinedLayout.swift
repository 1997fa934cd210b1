extension VectorLayout {
    /// The columns of both, those of this one first.
    func joined(with other: VectorLayout) -> VectorLayout {
        VectorLayout(
            dimension: dimension, hasGroups: hasGroups || other.hasGroups, hasIDs: hasIDs || other.hasIDs,
            columnNames: columnNames + other.columnNames.filter { !columnNames.contains($0) },
            textName: textName ?? other.textName, groupName: groupName ?? other.groupName, idName: idName ?? other.idName)
    }

    /// What this layout has and the other has not, as a person names it.
    func names(missingIn other: VectorLayout) -> [String] {
        [hasGroups && !other.hasGroups ? groupName ?? "groups" : nil, hasIDs && !other.hasIDs ? idName ?? "ids" : nil].compactMap(\.self)
            + columnNames.filter { !other.columnNames.contains($0) }
    }
}

extension VectorBlock {
    /// The same rows in a layout with more columns, whose cells are empty.
    func widened(from old: VectorLayout, to new: VectorLayout) -> VectorBlock {
        guard !old.matches(new) else { return self }
        let empty = [String](repeating: "", count: count)
        var block = self
        if new.hasGroups, !old.hasGroups { block.groups = empty }
        if new.hasIDs, !old.hasIDs { block.ids = empty }
        block.columns = new.columnNames.map { name in old.columnNames.firstIndex(of: name).map { columns[$0] } ?? empty }
        return block
    }
}
