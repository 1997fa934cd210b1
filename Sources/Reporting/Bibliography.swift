/// Works that a Methods paragraph cites, as BibTeX.
package enum Bibliography: String, CaseIterable {
    case sentenceTransformers = "reimers2019sentence"
    case bert = "devlin2019bert"
    case tsne = "vandermaaten2008visualizing"
    case umap = "mcinnes2018umap"
    case barnesHut = "vandermaaten2014accelerating"
    case interpolation = "linderman2019fast"
    case initialization = "kobak2019art"
    case learningRate = "belkina2019automated"
    case randomizedSVD = "halko2011finding"
    case principalComponents = "jolliffe2002principal"
    case sphericalKMeans = "dhillon2001concept"
    case quality = "venna2006local"
    case structuralProbe = "hewitt2019structural"
    case controlTask = "hewitt2019designing"
    case similarityAnalysis = "kriegeskorte2008representational"
    case noiseCeiling = "nili2014toolbox"
    case acceleratedBootstrap = "efron1987better"
    case permutation = "phipson2010permutation"
    case holm = "holm1979simple"
    case falseDiscovery = "benjamini1995controlling"
    case scaling = "borg2005modern"
    case nounMeaning = "mitchell2008predicting"
    case dell = "dell1997lexical"
    case foygel = "foygel2000models"
    case word2vec = "mikolov2013distributed"
    case subwords = "bojanowski2017enriching"
    case sif = "arora2017simple"
    case analogies = "levy2014linguistic"
    case embeddingAssociation = "caliskan2017semantics"
    case stratifiedSGD = "gemulla2011large"
    case crossnobis = "walther2016reliability"
    case noiseNormalization = "guggenmos2018multivariate"
    case diagonalShrinkage = "schaefer2005shrinkage"
    case identityShrinkage = "ledoit2004well"
    case procrustes = "gower1975generalized"
    case marginalRelevance = "carbonell1998use"
    case bandedRidge = "dupre2022feature"
    case pseudoLikelihood = "salazar2020masked"
    case withinWord = "kauf2023better"
    case wordProbability = "pimentel2024compute"
    case leadingSpaces = "oh2024leading"
    case minimalPairs = "warstadt2020blimp"
    case readingTimes = "smith2013effect"
    case rollout = "abnar2020quantifying"
    case integratedJacobians = "moeller2023attribution"
    case integratedGradients = "sundararajan2017axiomatic"
    case matthews = "matthews1975comparison"
    case mcNemar = "mcnemar1947note"
    case calibration = "guo2017calibration"
    case pullToPretrained = "li2018explicit"
    case layerRates = "howard2018universal"
    case setFit = "tunstall2022efficient"
    case multiTask = "liu2019multi"
    case autoencoder = "hinton2006reducing"
    case topUnits = "makhzani2014ksparse"
    case denoising = "vincent2008extracting"

    /// As it is named in the running text.
    var citation: String {
        switch self {
        case .sentenceTransformers: "Reimers & Gurevych, 2019"
        case .bert: "Devlin et al., 2019"
        case .tsne: "van der Maaten & Hinton, 2008"
        case .umap: "McInnes et al., 2018"
        case .barnesHut: "van der Maaten, 2014"
        case .interpolation: "Linderman et al., 2019"
        case .initialization: "Kobak & Berens, 2019"
        case .learningRate: "Belkina et al., 2019"
        case .randomizedSVD: "Halko et al., 2011"
        case .principalComponents: "Jolliffe, 2002"
        case .sphericalKMeans: "Dhillon & Modha, 2001"
        case .quality: "Venna & Kaski, 2006"
        case .structuralProbe: "Hewitt & Manning, 2019"
        case .controlTask: "Hewitt & Liang, 2019"
        case .similarityAnalysis: "Kriegeskorte et al., 2008"
        case .noiseCeiling: "Nili et al., 2014"
        case .acceleratedBootstrap: "Efron, 1987"
        case .permutation: "Phipson & Smyth, 2010"
        case .holm: "Holm, 1979"
        case .falseDiscovery: "Benjamini & Hochberg, 1995"
        case .scaling: "Borg & Groenen, 2005"
        case .nounMeaning: "Mitchell et al., 2008"
        case .dell: "Dell et al., 1997"
        case .foygel: "Foygel & Dell, 2000"
        case .word2vec: "Mikolov et al., 2013"
        case .subwords: "Bojanowski et al., 2017"
        case .sif: "Arora et al., 2017"
        case .matthews: "Matthews, 1975"
        case .mcNemar: "McNemar, 1947"
        case .calibration: "Guo et al., 2017"
        case .pullToPretrained: "Li et al., 2018"
        case .layerRates: "Howard & Ruder, 2018"
        case .setFit: "Tunstall et al., 2022"
        case .multiTask: "Liu et al., 2019"
        case .autoencoder: "Hinton & Salakhutdinov, 2006"
        case .topUnits: "Makhzani & Frey, 2014"
        case .denoising: "Vincent et al., 2008"
        case .analogies: "Levy & Goldberg, 2014"
        case .embeddingAssociation: "Caliskan et al., 2017"
        case .stratifiedSGD: "Gemulla et al., 2011"
        case .crossnobis: "Walther et al., 2016"
        case .noiseNormalization: "Guggenmos et al., 2018"
        case .diagonalShrinkage: "Schäfer & Strimmer, 2005"
        case .identityShrinkage: "Ledoit & Wolf, 2004"
        case .procrustes: "Gower, 1975"
        case .marginalRelevance: "Carbonell & Goldstein, 1998"
        case .bandedRidge: "Dupré la Tour et al., 2022"
        case .pseudoLikelihood: "Salazar et al., 2020"
        case .withinWord: "Kauf & Ivanova, 2023"
        case .wordProbability: "Pimentel & Meister, 2024"
        case .leadingSpaces: "Oh & Schuler, 2024"
        case .minimalPairs: "Warstadt et al., 2020"
        case .readingTimes: "Smith & Levy, 2013"
        case .rollout: "Abnar & Zuidema, 2020"
        case .integratedJacobians: "Moeller et al., 2023"
        case .integratedGradients: "Sundararajan et al., 2017"
        }
    }

    /// The entry in BibTeX.
    package var bibTeX: String {
        let (kind, fields): (String, [(String, String)]) =
            switch self {
            case .similarityAnalysis:
                (
                    "article",
                    [
                        ("author", "Kriegeskorte, Nikolaus and Mur, Marieke and Bandettini, Peter A."),
                        ("title", "Representational similarity analysis -- connecting the branches of systems neuroscience"),
                        ("journal", "Frontiers in Systems Neuroscience"), ("volume", "2"), ("pages", "4"), ("year", "2008"),
                        ("doi", "10.3389/neuro.06.004.2008"),
                    ]
                )
            case .noiseCeiling:
                (
                    "article",
                    [
                        (
                            "author",
                            "Nili, Hamed and Wingfield, Cai and Walther, Alexander and Su, Li and Marslen-Wilson, William and Kriegeskorte, Nikolaus"
                        ),
                        ("title", "A Toolbox for Representational Similarity Analysis"), ("journal", "PLoS Computational Biology"),
                        ("volume", "10"), ("number", "4"),
                        ("pages", "e1003553"), ("year", "2014"), ("doi", "10.1371/journal.pcbi.1003553"),
                    ]
                )
            case .acceleratedBootstrap:
                (
                    "article",
                    [
                        ("author", "Efron, Bradley"), ("title", "Better Bootstrap Confidence Intervals"),
                        ("journal", "Journal of the American Statistical Association"),
                        ("volume", "82"), ("number", "397"), ("pages", "171--185"), ("year", "1987"),
                        ("doi", "10.1080/01621459.1987.10478410"),
                    ]
                )
            case .permutation:
                (
                    "article",
                    [
                        ("author", "Phipson, Belinda and Smyth, Gordon K."), ("title", "Permutation {P}-values Should Never Be Zero"),
                        ("journal", "Statistical Applications in Genetics and Molecular Biology"), ("volume", "9"), ("number", "1"),
                        ("year", "2010"), ("doi", "10.2202/1544-6115.1585"),
                    ]
                )
            case .holm:
                (
                    "article",
                    [
                        ("author", "Holm, Sture"), ("title", "A Simple Sequentially Rejective Multiple Test Procedure"),
                        ("journal", "Scandinavian Journal of Statistics"),
                        ("volume", "6"), ("number", "2"), ("pages", "65--70"), ("year", "1979"),
                    ]
                )
            case .falseDiscovery:
                (
                    "article",
                    [
                        ("author", "Benjamini, Yoav and Hochberg, Yosef"),
                        ("title", "Controlling the False Discovery Rate: A Practical and Powerful Approach to Multiple Testing"),
                        ("journal", "Journal of the Royal Statistical Society: Series B"), ("volume", "57"), ("number", "1"),
                        ("pages", "289--300"), ("year", "1995"),
                    ]
                )
            case .scaling:
                (
                    "book",
                    [
                        ("author", "Borg, Ingwer and Groenen, Patrick J. F."),
                        ("title", "Modern Multidimensional Scaling: Theory and Applications"), ("edition", "2"),
                        ("publisher", "Springer"), ("year", "2005"),
                    ]
                )
            case .nounMeaning:
                (
                    "article",
                    [
                        (
                            "author",
                            "Mitchell, Tom M. and Shinkareva, Svetlana V. and Carlson, Andrew and Chang, Kai-Min and Malave, Vicente L. and Mason, Robert A. and Just, Marcel Adam"
                        ),
                        ("title", "Predicting Human Brain Activity Associated with the Meanings of Nouns"), ("journal", "Science"),
                        ("volume", "320"), ("number", "5880"),
                        ("pages", "1191--1195"), ("year", "2008"), ("doi", "10.1126/science.1152876"),
                    ]
                )
            case .sentenceTransformers:
                (
                    "inproceedings",
                    [
                        ("author", "Reimers, Nils and Gurevych, Iryna"),
                        ("title", "Sentence-{BERT}: Sentence Embeddings using {S}iamese {BERT}-Networks"),
                        ("booktitle", "Proceedings of EMNLP-IJCNLP 2019"), ("pages", "3982--3992"), ("year", "2019"),
                        ("doi", "10.18653/v1/D19-1410"),
                    ]
                )
            case .bert:
                (
                    "inproceedings",
                    [
                        ("author", "Devlin, Jacob and Chang, Ming-Wei and Lee, Kenton and Toutanova, Kristina"),
                        ("title", "{BERT}: Pre-training of Deep Bidirectional Transformers for Language Understanding"),
                        ("booktitle", "Proceedings of NAACL-HLT 2019"), ("pages", "4171--4186"), ("year", "2019"),
                        ("doi", "10.18653/v1/N19-1423"),
                    ]
                )
            case .tsne:
                (
                    "article",
                    [
                        ("author", "van der Maaten, Laurens and Hinton, Geoffrey"), ("title", "Visualizing Data using t-{SNE}"),
                        ("journal", "Journal of Machine Learning Research"), ("volume", "9"), ("pages", "2579--2605"), ("year", "2008"),
                    ]
                )
            case .umap:
                (
                    "article",
                    [
                        ("author", "McInnes, Leland and Healy, John and Melville, James"),
                        ("title", "{UMAP}: Uniform Manifold Approximation and Projection for Dimension Reduction"),
                        ("journal", "arXiv preprint"),
                        ("year", "2018"), ("eprint", "1802.03426"),
                    ]
                )
            case .barnesHut:
                (
                    "article",
                    [
                        ("author", "van der Maaten, Laurens"), ("title", "Accelerating t-{SNE} using Tree-Based Algorithms"),
                        ("journal", "Journal of Machine Learning Research"), ("volume", "15"), ("pages", "3221--3245"), ("year", "2014"),
                    ]
                )
            case .interpolation:
                (
                    "article",
                    [
                        (
                            "author",
                            "Linderman, George C. and Rachh, Manas and Hoskins, Jeremy G. and Steinerberger, Stefan and Kluger, Yuval"
                        ),
                        ("title", "Fast interpolation-based t-{SNE} for improved visualization of single-cell {RNA}-seq data"),
                        ("journal", "Nature Methods"),
                        ("volume", "16"), ("pages", "243--245"), ("year", "2019"), ("doi", "10.1038/s41592-018-0308-4"),
                    ]
                )
            case .initialization:
                (
                    "article",
                    [
                        ("author", "Kobak, Dmitry and Berens, Philipp"),
                        ("title", "The art of using t-{SNE} for single-cell transcriptomics"),
                        ("journal", "Nature Communications"), ("volume", "10"), ("pages", "5416"), ("year", "2019"),
                        ("doi", "10.1038/s41467-019-13056-x"),
                    ]
                )
            case .learningRate:
                (
                    "article",
                    [
                        (
                            "author",
                            "Belkina, Anna C. and Ciccolella, Christopher O. and Anno, Rina and Halpert, Richard and Spidlen, Josef and Snyder-Cappione, Jennifer E."
                        ),
                        (
                            "title",
                            "Automated optimized parameters for t-distributed stochastic neighbor embedding improve visualization and analysis of large datasets"
                        ),
                        ("journal", "Nature Communications"), ("volume", "10"), ("pages", "5415"), ("year", "2019"),
                        ("doi", "10.1038/s41467-019-13055-y"),
                    ]
                )
            case .randomizedSVD:
                (
                    "article",
                    [
                        ("author", "Halko, Nathan and Martinsson, Per-Gunnar and Tropp, Joel A."),
                        (
                            "title",
                            "Finding structure with randomness: Probabilistic algorithms for constructing approximate matrix decompositions"
                        ),
                        ("journal", "SIAM Review"), ("volume", "53"), ("number", "2"), ("pages", "217--288"), ("year", "2011"),
                        ("doi", "10.1137/090771806"),
                    ]
                )
            case .principalComponents:
                (
                    "book",
                    [
                        ("author", "Jolliffe, Ian T."), ("title", "Principal Component Analysis"), ("edition", "2nd"),
                        ("publisher", "Springer"), ("year", "2002"),
                    ]
                )
            case .sphericalKMeans:
                (
                    "article",
                    [
                        ("author", "Dhillon, Inderjit S. and Modha, Dharmendra S."),
                        ("title", "Concept Decompositions for Large Sparse Text Data Using Clustering"),
                        ("journal", "Machine Learning"), ("volume", "42"), ("pages", "143--175"), ("year", "2001"),
                        ("doi", "10.1023/A:1007612920971"),
                    ]
                )
            case .quality:
                (
                    "article",
                    [
                        ("author", "Venna, Jarkko and Kaski, Samuel"), ("title", "Local multidimensional scaling"),
                        ("journal", "Neural Networks"),
                        ("volume", "19"), ("pages", "889--899"), ("year", "2006"), ("doi", "10.1016/j.neunet.2006.05.014"),
                    ]
                )
            case .structuralProbe:
                (
                    "inproceedings",
                    [
                        ("author", "Hewitt, John and Manning, Christopher D."),
                        ("title", "A Structural Probe for Finding Syntax in Word Representations"),
                        ("booktitle", "Proceedings of NAACL-HLT 2019"), ("pages", "4129--4138"), ("year", "2019"),
                        ("doi", "10.18653/v1/N19-1419"),
                    ]
                )
            case .controlTask:
                (
                    "inproceedings",
                    [
                        ("author", "Hewitt, John and Liang, Percy"), ("title", "Designing and Interpreting Probes with Control Tasks"),
                        ("booktitle", "Proceedings of EMNLP-IJCNLP 2019"), ("pages", "2733--2743"), ("year", "2019"),
                        ("doi", "10.18653/v1/D19-1275"),
                    ]
                )
            case .dell:
                (
                    "article",
                    [
                        (
                            "author",
                            "Dell, Gary S. and Schwartz, Myrna F. and Martin, Nadine and Saffran, Eleanor M. and Gagnon, Deborah A."
                        ),
                        ("title", "Lexical Access in Aphasic and Nonaphasic Speakers"), ("journal", "Psychological Review"),
                        ("volume", "104"), ("number", "4"),
                        ("pages", "801--838"), ("year", "1997"), ("doi", "10.1037/0033-295X.104.4.801"),
                    ]
                )
            case .foygel:
                (
                    "article",
                    [
                        ("author", "Foygel, Dan and Dell, Gary S."), ("title", "Models of Impaired Lexical Access in Speech Production"),
                        ("journal", "Journal of Memory and Language"), ("volume", "43"), ("number", "2"), ("pages", "182--216"),
                        ("year", "2000"), ("doi", "10.1006/jmla.2000.2716"),
                    ]
                )
            case .word2vec:
                (
                    "inproceedings",
                    [
                        ("author", "Mikolov, Tomas and Sutskever, Ilya and Chen, Kai and Corrado, Greg S. and Dean, Jeffrey"),
                        ("title", "Distributed Representations of Words and Phrases and their Compositionality"),
                        ("booktitle", "Advances in Neural Information Processing Systems 26"), ("pages", "3111--3119"), ("year", "2013"),
                    ]
                )
            case .subwords:
                (
                    "article",
                    [
                        ("author", "Bojanowski, Piotr and Grave, Edouard and Joulin, Armand and Mikolov, Tomas"),
                        ("title", "Enriching Word Vectors with Subword Information"),
                        ("journal", "Transactions of the Association for Computational Linguistics"),
                        ("volume", "5"), ("pages", "135--146"), ("year", "2017"), ("doi", "10.1162/tacl_a_00051"),
                    ]
                )
            case .sif:
                (
                    "inproceedings",
                    [
                        ("author", "Arora, Sanjeev and Liang, Yingyu and Ma, Tengyu"),
                        ("title", "A Simple but Tough-to-Beat Baseline for Sentence Embeddings"),
                        ("booktitle", "International Conference on Learning Representations"), ("year", "2017"),
                    ]
                )
            case .analogies:
                (
                    "inproceedings",
                    [
                        ("author", "Levy, Omer and Goldberg, Yoav"),
                        ("title", "Linguistic Regularities in Sparse and Explicit Word Representations"),
                        ("booktitle", "Proceedings of CoNLL 2014"), ("pages", "171--180"), ("year", "2014"), ("doi", "10.3115/v1/W14-1618"),
                    ]
                )
            case .embeddingAssociation:
                (
                    "article",
                    [
                        ("author", "Caliskan, Aylin and Bryson, Joanna J. and Narayanan, Arvind"),
                        ("title", "Semantics derived automatically from language corpora contain human-like biases"),
                        ("journal", "Science"), ("volume", "356"),
                        ("number", "6334"), ("pages", "183--186"), ("year", "2017"), ("doi", "10.1126/science.aal4230"),
                    ]
                )
            case .stratifiedSGD:
                (
                    "inproceedings",
                    [
                        ("author", "Gemulla, Rainer and Nijkamp, Erik and Haas, Peter J. and Sismanis, Yannis"),
                        ("title", "Large-scale Matrix Factorization with Distributed Stochastic Gradient Descent"),
                        ("booktitle", "Proceedings of KDD 2011"), ("pages", "69--77"), ("year", "2011"), ("doi", "10.1145/2020408.2020426"),
                    ]
                )
            case .crossnobis:
                (
                    "article",
                    [
                        (
                            "author",
                            "Walther, Alexander and Nili, Hamed and Ejaz, Naveed and Alink, Arjen and Kriegeskorte, Nikolaus and Diedrichsen, J{\\\"o}rn"
                        ),
                        ("title", "Reliability of dissimilarity measures for multi-voxel pattern analysis"), ("journal", "NeuroImage"),
                        ("volume", "137"),
                        ("pages", "188--200"), ("year", "2016"), ("doi", "10.1016/j.neuroimage.2015.12.012"),
                    ]
                )
            case .noiseNormalization:
                (
                    "article",
                    [
                        ("author", "Guggenmos, Matthias and Sterzer, Philipp and Cichy, Radoslaw Martin"),
                        ("title", "Multivariate pattern analysis for {MEG}: A comparison of dissimilarity measures"),
                        ("journal", "NeuroImage"), ("volume", "173"),
                        ("pages", "434--447"), ("year", "2018"), ("doi", "10.1016/j.neuroimage.2018.02.044"),
                    ]
                )
            case .diagonalShrinkage:
                (
                    "article",
                    [
                        ("author", "Sch{\\\"a}fer, Juliane and Strimmer, Korbinian"),
                        (
                            "title",
                            "A Shrinkage Approach to Large-Scale Covariance Matrix Estimation and Implications for Functional Genomics"
                        ),
                        ("journal", "Statistical Applications in Genetics and Molecular Biology"), ("volume", "4"), ("number", "1"),
                        ("year", "2005"), ("doi", "10.2202/1544-6115.1175"),
                    ]
                )
            case .identityShrinkage:
                (
                    "article",
                    [
                        ("author", "Ledoit, Olivier and Wolf, Michael"),
                        ("title", "A well-conditioned estimator for large-dimensional covariance matrices"),
                        ("journal", "Journal of Multivariate Analysis"), ("volume", "88"), ("number", "2"), ("pages", "365--411"),
                        ("year", "2004"), ("doi", "10.1016/S0047-259X(03)00096-4"),
                    ]
                )
            case .procrustes:
                (
                    "article",
                    [
                        ("author", "Gower, John C."), ("title", "Generalized {P}rocrustes analysis"), ("journal", "Psychometrika"),
                        ("volume", "40"), ("number", "1"),
                        ("pages", "33--51"), ("year", "1975"), ("doi", "10.1007/BF02291478"),
                    ]
                )
            case .marginalRelevance:
                (
                    "inproceedings",
                    [
                        ("author", "Carbonell, Jaime and Goldstein, Jade"),
                        ("title", "The Use of {MMR}, Diversity-Based Reranking for Reordering Documents and Producing Summaries"),
                        ("booktitle", "Proceedings of SIGIR 1998"), ("pages", "335--336"), ("year", "1998"),
                        ("doi", "10.1145/290941.291025"),
                    ]
                )
            case .bandedRidge:
                (
                    "article",
                    [
                        ("author", "{Dupr{\\'e} la Tour}, Tom and Eickenberg, Michael and Nunez-Elizalde, Anwar O. and Gallant, Jack L."),
                        ("title", "Feature-space selection with banded ridge regression"), ("journal", "NeuroImage"), ("volume", "264"),
                        ("pages", "119728"), ("year", "2022"),
                        ("doi", "10.1016/j.neuroimage.2022.119728"),
                    ]
                )
            case .pseudoLikelihood:
                (
                    "inproceedings",
                    [
                        ("author", "Salazar, Julian and Liang, Davis and Nguyen, Toan Q. and Kirchhoff, Katrin"),
                        ("title", "Masked Language Model Scoring"), ("booktitle", "Proceedings of ACL 2020"),
                        ("pages", "2699--2712"), ("year", "2020"), ("doi", "10.18653/v1/2020.acl-main.240"),
                    ]
                )
            case .withinWord:
                (
                    "inproceedings",
                    [
                        ("author", "Kauf, Carina and Ivanova, Anna"),
                        ("title", "A Better Way to Do Masked Language Model Scoring"),
                        ("booktitle", "Proceedings of ACL 2023 (Short Papers)"), ("pages", "925--935"), ("year", "2023"),
                        ("doi", "10.18653/v1/2023.acl-short.80"),
                    ]
                )
            case .wordProbability:
                (
                    "inproceedings",
                    [
                        ("author", "Pimentel, Tiago and Meister, Clara"),
                        ("title", "How to Compute the Probability of a Word"), ("booktitle", "Proceedings of EMNLP 2024"),
                        ("year", "2024"),
                    ]
                )
            case .leadingSpaces:
                (
                    "inproceedings",
                    [
                        ("author", "Oh, Byung-Doh and Schuler, William"),
                        (
                            "title",
                            "Leading Whitespaces of Language Models' Subword Vocabulary Pose a Confound for Calculating Word Probabilities"
                        ),
                        ("booktitle", "Proceedings of EMNLP 2024"), ("year", "2024"),
                    ]
                )
            case .minimalPairs:
                (
                    "article",
                    [
                        (
                            "author",
                            "Warstadt, Alex and Parrish, Alicia and Liu, Haokun and Mohananey, Anhad and Peng, Wei and Wang, Sheng-Fu and Bowman, Samuel R."
                        ),
                        ("title", "{BLiMP}: The Benchmark of Linguistic Minimal Pairs for {E}nglish"),
                        ("journal", "Transactions of the Association for Computational Linguistics"), ("volume", "8"),
                        ("pages", "377--392"), ("year", "2020"), ("doi", "10.1162/tacl_a_00321"),
                    ]
                )
            case .readingTimes:
                (
                    "article",
                    [
                        ("author", "Smith, Nathaniel J. and Levy, Roger"),
                        ("title", "The effect of word predictability on reading time is logarithmic"),
                        ("journal", "Cognition"), ("volume", "128"), ("number", "3"), ("pages", "302--319"),
                        ("year", "2013"), ("doi", "10.1016/j.cognition.2013.02.013"),
                    ]
                )
            case .rollout:
                (
                    "inproceedings",
                    [
                        ("author", "Abnar, Samira and Zuidema, Willem"),
                        ("title", "Quantifying Attention Flow in Transformers"), ("booktitle", "Proceedings of ACL 2020"),
                        ("pages", "4190--4197"), ("year", "2020"), ("doi", "10.18653/v1/2020.acl-main.385"),
                    ]
                )
            case .integratedJacobians:
                (
                    "inproceedings",
                    [
                        ("author", "Moeller, Lucas and Nikolaev, Dmitry and Pad{\\'o}, Sebastian"),
                        ("title", "An Attribution Method for {S}iamese Encoders"),
                        ("booktitle", "Proceedings of EMNLP 2023"), ("year", "2023"),
                    ]
                )
            case .integratedGradients:
                (
                    "inproceedings",
                    [
                        ("author", "Sundararajan, Mukund and Taly, Ankur and Yan, Qiqi"),
                        ("title", "Axiomatic Attribution for Deep Networks"), ("booktitle", "Proceedings of ICML 2017"),
                        ("pages", "3319--3328"), ("year", "2017"),
                    ]
                )
            case .matthews:
                (
                    "article",
                    [
                        ("author", "Matthews, Brian W."),
                        ("title", "Comparison of the Predicted and Observed Secondary Structure of {T4} Phage Lysozyme"),
                        ("journal", "Biochimica et Biophysica Acta"), ("volume", "405"), ("number", "2"), ("pages", "442--451"),
                        ("year", "1975"), ("doi", "10.1016/0005-2795(75)90109-9"),
                    ]
                )
            case .mcNemar:
                (
                    "article",
                    [
                        ("author", "McNemar, Quinn"),
                        ("title", "Note on the Sampling Error of the Difference Between Correlated Proportions or Percentages"),
                        ("journal", "Psychometrika"), ("volume", "12"), ("number", "2"), ("pages", "153--157"), ("year", "1947"),
                        ("doi", "10.1007/BF02295996"),
                    ]
                )
            case .calibration:
                (
                    "inproceedings",
                    [
                        ("author", "Guo, Chuan and Pleiss, Geoff and Sun, Yu and Weinberger, Kilian Q."),
                        ("title", "On Calibration of Modern Neural Networks"),
                        ("booktitle", "Proceedings of ICML 2017"), ("pages", "1321--1330"), ("year", "2017"),
                    ]
                )
            case .pullToPretrained:
                (
                    "inproceedings",
                    [
                        ("author", "Li, Xuhong and Grandvalet, Yves and Davoine, Franck"),
                        ("title", "Explicit Inductive Bias for Transfer Learning with Convolutional Networks"),
                        ("booktitle", "Proceedings of ICML 2018"), ("pages", "2825--2834"), ("year", "2018"),
                    ]
                )
            case .layerRates:
                (
                    "inproceedings",
                    [
                        ("author", "Howard, Jeremy and Ruder, Sebastian"),
                        ("title", "Universal Language Model Fine-tuning for Text Classification"),
                        ("booktitle", "Proceedings of ACL 2018"), ("pages", "328--339"), ("year", "2018"), ("doi", "10.18653/v1/P18-1031"),
                    ]
                )
            case .setFit:
                (
                    "misc",
                    [
                        (
                            "author",
                            "Tunstall, Lewis and Reimers, Nils and Jo, Unso Eun Seo and Bates, Luke and Korat, Daniel and Wasserblat, Moshe and Pereg, Oren"
                        ),
                        ("title", "Efficient Few-Shot Learning Without Prompts"), ("year", "2022"), ("eprint", "2209.11055"),
                        ("archiveprefix", "arXiv"),
                    ]
                )
            case .multiTask:
                (
                    "inproceedings",
                    [
                        ("author", "Liu, Xiaodong and He, Pengcheng and Chen, Weizhu and Gao, Jianfeng"),
                        ("title", "Multi-Task Deep Neural Networks for Natural Language Understanding"),
                        ("booktitle", "Proceedings of ACL 2019"), ("pages", "4487--4496"),
                        ("year", "2019"), ("doi", "10.18653/v1/P19-1441"),
                    ]
                )
            case .autoencoder:
                (
                    "article",
                    [
                        ("author", "Hinton, Geoffrey E. and Salakhutdinov, Ruslan R."),
                        ("title", "Reducing the Dimensionality of Data with Neural Networks"),
                        ("journal", "Science"), ("volume", "313"), ("number", "5786"), ("pages", "504--507"), ("year", "2006"),
                        ("doi", "10.1126/science.1127647"),
                    ]
                )
            case .topUnits:
                (
                    "inproceedings",
                    [
                        ("author", "Makhzani, Alireza and Frey, Brendan"), ("title", "k-Sparse Autoencoders"),
                        ("booktitle", "International Conference on Learning Representations"), ("year", "2014"),
                    ]
                )
            case .denoising:
                (
                    "inproceedings",
                    [
                        ("author", "Vincent, Pascal and Larochelle, Hugo and Bengio, Yoshua and Manzagol, Pierre-Antoine"),
                        ("title", "Extracting and Composing Robust Features with Denoising Autoencoders"),
                        ("booktitle", "Proceedings of ICML 2008"), ("pages", "1096--1103"),
                        ("year", "2008"), ("doi", "10.1145/1390156.1390294"),
                    ]
                )
            }
        return "@\(kind){\(rawValue),\n" + fields.map { "  \($0) = {\($1)}" }.joined(separator: ",\n") + "\n}"
    }

    /// The program itself.
    package static func program(_ version: String) -> String {
        "@software{kotonoha,\n  author = {{The Kotonoha contributors}},\n  title = {Kotonoha: sentence embeddings and similarity},\n  version = {\(version)}\n}"
    }
}
