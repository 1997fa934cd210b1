"""SPDX 2.3 of an archive: sbom.py VERSION LIBRARIES, where LIBRARIES has a line `soname package` for each library. Times come from SOURCE_DATE_EPOCH."""
import datetime
import hashlib
import json
import os
import subprocess
import sys

version, libraries = sys.argv[1], [line.split() for line in open(sys.argv[2])]
packages = sorted({parts[1] for parts in libraries if len(parts) > 1})


def entry(package):
    fields = subprocess.check_output(["dpkg-query", "-W", "-f", "${Version}\t${Homepage}\t${source:Package}", package], text=True).split("\t")
    return {
        "SPDXID": "SPDXRef-" + package.replace("+", "-plus-"), "name": package, "versionInfo": fields[0], "downloadLocation": fields[1] or "NOASSERTION",
        "sourceInfo": "Debian source package " + fields[2], "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
        "copyrightText": "see share/doc/kotonoha/licences/" + package,
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": f"pkg:deb/debian/{package}@{fields[0]}"}],
    }


program = {
    "SPDXID": "SPDXRef-kotonoha", "name": "kotonoha", "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
    "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION",
}
model = {
    **program, "SPDXID": "SPDXRef-kotonoha-small", "name": "kotonoha-small", "licenseConcluded": "CC-BY-SA-4.0", "licenseDeclared": "CC-BY-SA-4.0",
}
swift = {
    **program, "SPDXID": "SPDXRef-swift", "name": "swift", "versionInfo": os.environ.get("SWIFT_VERSION", "NOASSERTION"),
    "licenseConcluded": "Apache-2.0 WITH Swift-exception", "licenseDeclared": "Apache-2.0 WITH Swift-exception", "sourceInfo": "runtime and Foundation, linked in",
}
parser = {**program, "SPDXID": "SPDXRef-swift-argument-parser", "name": "swift-argument-parser", "versionInfo": os.environ.get("PARSER_VERSION", "NOASSERTION")}
parts = [program, model, swift, parser] + [entry(package) for package in packages]
digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
created = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
print(json.dumps({
    "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"kotonoha-{version}",
    "documentNamespace": f"urn:kotonoha:spdx:{digest}", "creationInfo": {"created": created, "creators": ["Tool: tools/release"]}, "packages": parts,
    "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-kotonoha"}]
    + [{"spdxElementId": "SPDXRef-kotonoha", "relationshipType": "STATIC_LINK", "relatedSpdxElement": part["SPDXID"]} for part in (swift, parser)]
    + [{"spdxElementId": "SPDXRef-kotonoha", "relationshipType": "CONTAINS", "relatedSpdxElement": model["SPDXID"]}]
    + [{"spdxElementId": "SPDXRef-kotonoha", "relationshipType": "DYNAMIC_LINK", "relatedSpdxElement": part["SPDXID"]} for part in parts[4:]],
}, indent=1, ensure_ascii=False))
