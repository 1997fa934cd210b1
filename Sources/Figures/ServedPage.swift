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
            case "lang": Array(FigureLanguage.english.rawValue.utf8)
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

    /// The page's script: files of one concept each, in the order in which they are run, within one function.
    public static let script: [UInt8] = {
        let parts = [
            PackageResources.words_js, PackageResources.data_js, PackageResources.columns_js, PackageResources.grid_js,
            PackageResources.colors_js,
            PackageResources.sample_js, PackageResources.webgl_js, PackageResources.canvas_js, PackageResources.view_js,
            PackageResources.overlay_js,
            PackageResources.hills_js, PackageResources.points_js, PackageResources.legend_js, PackageResources.list_js,
            PackageResources.search_js,
            PackageResources.gestures_js, PackageResources.begin_js, PackageResources.address_js, PackageResources.pictures_js,
        ]
        return Array("\"use strict\";\n(async () => {\n".utf8) + parts.joined() + Array("})();\n".utf8)
    }()
    /// The style sheet of the page, as CSS.
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
