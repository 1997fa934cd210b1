// One import for users of the package: `import Kotonoha`. Each room can be read, but need not be imported, by itself.
@_exported import Analysis
@_exported import Figures
@_exported import FileFormats
@_exported import Interpretation
@_exported import LanguageModels
@_exported import ModelFolders
@_exported import Networks
@_exported import Reporting
@_exported import SentenceEmbedding
@_exported import Statistics
@_exported import Tensors
@_exported import Tokenizers
@_exported import Training
@_exported import VectorStore
