import Foundation

/// The page of `MapPage` for a map that a server holds: the same script, which asks for points, columns and texts instead of finding them
/// in the file.
public enum ServedPage {
    /// The page without its data.
    ///
    /// - Parameter folder: where the server answers: `FOLDER/page.js`, `FOLDER/page.css` and whatever the script asks for.
    public static func html(title: String, folder: String) -> [UInt8] {
        MapPage.filled { place in
            switch place {
            case "title": Array(SVGWriter.escaped(Typesetter.oneLine(title)).utf8)
            case "head": Array("<link rel=\"stylesheet\" href=\"\(folder)/page.css\">\n".utf8)
            case "data":
                {
                    var json = JSONText()
                    json.open()
                    json.member("server", string: folder)
                    json.close()
                    return json.bytes
                }()
            case "script": Array("<script src=\"\(folder)/page.js\"></script>\n".utf8)
            default: []
            }
        }
    }

    public static var script: [UInt8] { PackageResources.page_js }
    public static var style: [UInt8] { PackageResources.page_css }

    /// What the page knows of its colours, as members of a JSON object: `"palette":[…],"ramp":[…]`.
    public static var colors: String {
        func list(_ colors: [Color]) -> String { "[" + colors.map { "\"\($0.longHex)\"" }.joined(separator: ",") + "]" }
        return "\"palette\":\(list(Palette.groups)),\"ramp\":\(list(Palette.Scale.sequential.anchors))"
    }

    /// A column as JSON, the values as bytes in base 64.
    /// - Parameter points: where the points lie; groups that are close together get different colours.
    public static func column(_ column: MapPage.Column, points: [(x: Double, y: Double)]) -> [UInt8] {
        var json = JSONText()
        switch column.values {
        case .names(let names):
            MapPage.append(names: names, called: column.name, flag: nil, points: points.map { Scene.Point($0.x, $0.y) }, to: &json)
        case .numbers(let numbers): MapPage.append(numbers: numbers, called: column.name, to: &json)
        }
        return json.bytes
    }
}
