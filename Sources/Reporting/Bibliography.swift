/// Works that a Methods paragraph cites, as BibTeX.
public enum Bibliography: String, CaseIterable {
    case sentenceTransformers = "reimers2019sentence"
    case bert = "devlin2019bert"
    case tsne = "vandermaaten2008visualizing"
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
    case stratifiedSGD = "gemulla2011large"
    case matthews = "matthews1975comparison"
    case mcNemar = "mcnemar1947note"
    case calibration = "guo2017calibration"
    case pullToPretrained = "li2018explicit"
    case layerRates = "howard2018universal"
    case setFit = "tunstall2022efficient"
    case autoencoder = "hinton2006reducing"
    case topUnits = "makhzani2014ksparse"
    case denoising = "vincent2008extracting"

    /// As it is named in the running text.
    var citation: String {
        switch self {
        case .sentenceTransformers: "Reimers & Gurevych, 2019"
        case .bert: "Devlin et al., 2019"
        case .tsne: "van der Maaten & Hinton, 2008"
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
        case .autoencoder: "Hinton & Salakhutdinov, 2006"
        case .topUnits: "Makhzani & Frey, 2014"
        case .denoising: "Vincent et al., 2008"
        case .analogies: "Levy & Goldberg, 2014"
        case .stratifiedSGD: "Gemulla et al., 2011"
        }
    }

    public var bibTeX: String {
        let (kind, fields): (String, [(String, String)]) = switch self {
        case .similarityAnalysis:
            ("article", [("author", "Kriegeskorte, Nikolaus and Mur, Marieke and Bandettini, Peter A."),
                         ("title", "Representational similarity analysis -- connecting the branches of systems neuroscience"),
                         ("journal", "Frontiers in Systems Neuroscience"), ("volume", "2"), ("pages", "4"), ("year", "2008"), ("doi", "10.3389/neuro.06.004.2008")])
        case .noiseCeiling:
            ("article", [("author", "Nili, Hamed and Wingfield, Cai and Walther, Alexander and Su, Li and Marslen-Wilson, William and Kriegeskorte, Nikolaus"),
                         ("title", "A Toolbox for Representational Similarity Analysis"), ("journal", "PLoS Computational Biology"), ("volume", "10"), ("number", "4"),
                         ("pages", "e1003553"), ("year", "2014"), ("doi", "10.1371/journal.pcbi.1003553")])
        case .acceleratedBootstrap:
            ("article", [("author", "Efron, Bradley"), ("title", "Better Bootstrap Confidence Intervals"), ("journal", "Journal of the American Statistical Association"),
                         ("volume", "82"), ("number", "397"), ("pages", "171--185"), ("year", "1987"), ("doi", "10.1080/01621459.1987.10478410")])
        case .permutation:
            ("article", [("author", "Phipson, Belinda and Smyth, Gordon K."), ("title", "Permutation {P}-values Should Never Be Zero"),
                         ("journal", "Statistical Applications in Genetics and Molecular Biology"), ("volume", "9"), ("number", "1"), ("year", "2010"), ("doi", "10.2202/1544-6115.1585")])
        case .holm:
            ("article", [("author", "Holm, Sture"), ("title", "A Simple Sequentially Rejective Multiple Test Procedure"), ("journal", "Scandinavian Journal of Statistics"),
                         ("volume", "6"), ("number", "2"), ("pages", "65--70"), ("year", "1979")])
        case .falseDiscovery:
            ("article", [("author", "Benjamini, Yoav and Hochberg, Yosef"), ("title", "Controlling the False Discovery Rate: A Practical and Powerful Approach to Multiple Testing"),
                         ("journal", "Journal of the Royal Statistical Society: Series B"), ("volume", "57"), ("number", "1"), ("pages", "289--300"), ("year", "1995")])
        case .scaling:
            ("book", [("author", "Borg, Ingwer and Groenen, Patrick J. F."), ("title", "Modern Multidimensional Scaling: Theory and Applications"), ("edition", "2"),
                      ("publisher", "Springer"), ("year", "2005")])
        case .nounMeaning:
            ("article", [("author", "Mitchell, Tom M. and Shinkareva, Svetlana V. and Carlson, Andrew and Chang, Kai-Min and Malave, Vicente L. and Mason, Robert A. and Just, Marcel Adam"),
                         ("title", "Predicting Human Brain Activity Associated with the Meanings of Nouns"), ("journal", "Science"), ("volume", "320"), ("number", "5880"),
                         ("pages", "1191--1195"), ("year", "2008"), ("doi", "10.1126/science.1152876")])
        case .sentenceTransformers:
            ("inproceedings", [("author", "Reimers, Nils and Gurevych, Iryna"), ("title", "Sentence-{BERT}: Sentence Embeddings using {S}iamese {BERT}-Networks"),
                               ("booktitle", "Proceedings of EMNLP-IJCNLP 2019"), ("pages", "3982--3992"), ("year", "2019"), ("doi", "10.18653/v1/D19-1410")])
        case .bert:
            ("inproceedings", [("author", "Devlin, Jacob and Chang, Ming-Wei and Lee, Kenton and Toutanova, Kristina"),
                               ("title", "{BERT}: Pre-training of Deep Bidirectional Transformers for Language Understanding"),
                               ("booktitle", "Proceedings of NAACL-HLT 2019"), ("pages", "4171--4186"), ("year", "2019"), ("doi", "10.18653/v1/N19-1423")])
        case .tsne:
            ("article", [("author", "van der Maaten, Laurens and Hinton, Geoffrey"), ("title", "Visualizing Data using t-{SNE}"),
                         ("journal", "Journal of Machine Learning Research"), ("volume", "9"), ("pages", "2579--2605"), ("year", "2008")])
        case .barnesHut:
            ("article", [("author", "van der Maaten, Laurens"), ("title", "Accelerating t-{SNE} using Tree-Based Algorithms"),
                         ("journal", "Journal of Machine Learning Research"), ("volume", "15"), ("pages", "3221--3245"), ("year", "2014")])
        case .interpolation:
            ("article", [("author", "Linderman, George C. and Rachh, Manas and Hoskins, Jeremy G. and Steinerberger, Stefan and Kluger, Yuval"),
                         ("title", "Fast interpolation-based t-{SNE} for improved visualization of single-cell {RNA}-seq data"), ("journal", "Nature Methods"),
                         ("volume", "16"), ("pages", "243--245"), ("year", "2019"), ("doi", "10.1038/s41592-018-0308-4")])
        case .initialization:
            ("article", [("author", "Kobak, Dmitry and Berens, Philipp"), ("title", "The art of using t-{SNE} for single-cell transcriptomics"),
                         ("journal", "Nature Communications"), ("volume", "10"), ("pages", "5416"), ("year", "2019"), ("doi", "10.1038/s41467-019-13056-x")])
        case .learningRate:
            ("article", [("author", "Belkina, Anna C. and Ciccolella, Christopher O. and Anno, Rina and Halpert, Richard and Spidlen, Josef and Snyder-Cappione, Jennifer E."),
                         ("title", "Automated optimized parameters for t-distributed stochastic neighbor embedding improve visualization and analysis of large datasets"),
                         ("journal", "Nature Communications"), ("volume", "10"), ("pages", "5415"), ("year", "2019"), ("doi", "10.1038/s41467-019-13055-y")])
        case .randomizedSVD:
            ("article", [("author", "Halko, Nathan and Martinsson, Per-Gunnar and Tropp, Joel A."),
                         ("title", "Finding structure with randomness: Probabilistic algorithms for constructing approximate matrix decompositions"),
                         ("journal", "SIAM Review"), ("volume", "53"), ("number", "2"), ("pages", "217--288"), ("year", "2011"), ("doi", "10.1137/090771806")])
        case .principalComponents:
            ("book", [("author", "Jolliffe, Ian T."), ("title", "Principal Component Analysis"), ("edition", "2nd"), ("publisher", "Springer"), ("year", "2002")])
        case .sphericalKMeans:
            ("article", [("author", "Dhillon, Inderjit S. and Modha, Dharmendra S."), ("title", "Concept Decompositions for Large Sparse Text Data Using Clustering"),
                         ("journal", "Machine Learning"), ("volume", "42"), ("pages", "143--175"), ("year", "2001"), ("doi", "10.1023/A:1007612920971")])
        case .quality:
            ("article", [("author", "Venna, Jarkko and Kaski, Samuel"), ("title", "Local multidimensional scaling"), ("journal", "Neural Networks"),
                         ("volume", "19"), ("pages", "889--899"), ("year", "2006"), ("doi", "10.1016/j.neunet.2006.05.014")])
        case .structuralProbe:
            ("inproceedings", [("author", "Hewitt, John and Manning, Christopher D."), ("title", "A Structural Probe for Finding Syntax in Word Representations"),
                               ("booktitle", "Proceedings of NAACL-HLT 2019"), ("pages", "4129--4138"), ("year", "2019"), ("doi", "10.18653/v1/N19-1419")])
        case .controlTask:
            ("inproceedings", [("author", "Hewitt, John and Liang, Percy"), ("title", "Designing and Interpreting Probes with Control Tasks"),
                               ("booktitle", "Proceedings of EMNLP-IJCNLP 2019"), ("pages", "2733--2743"), ("year", "2019"), ("doi", "10.18653/v1/D19-1275")])
        case .dell:
            ("article", [("author", "Dell, Gary S. and Schwartz, Myrna F. and Martin, Nadine and Saffran, Eleanor M. and Gagnon, Deborah A."),
                         ("title", "Lexical Access in Aphasic and Nonaphasic Speakers"), ("journal", "Psychological Review"), ("volume", "104"), ("number", "4"),
                         ("pages", "801--838"), ("year", "1997"), ("doi", "10.1037/0033-295X.104.4.801")])
        case .foygel:
            ("article", [("author", "Foygel, Dan and Dell, Gary S."), ("title", "Models of Impaired Lexical Access in Speech Production"),
                         ("journal", "Journal of Memory and Language"), ("volume", "43"), ("number", "2"), ("pages", "182--216"), ("year", "2000"), ("doi", "10.1006/jmla.2000.2716")])
        case .word2vec:
            ("inproceedings", [("author", "Mikolov, Tomas and Sutskever, Ilya and Chen, Kai and Corrado, Greg S. and Dean, Jeffrey"),
                               ("title", "Distributed Representations of Words and Phrases and their Compositionality"),
                               ("booktitle", "Advances in Neural Information Processing Systems 26"), ("pages", "3111--3119"), ("year", "2013")])
        case .subwords:
            ("article", [("author", "Bojanowski, Piotr and Grave, Edouard and Joulin, Armand and Mikolov, Tomas"),
                         ("title", "Enriching Word Vectors with Subword Information"), ("journal", "Transactions of the Association for Computational Linguistics"),
                         ("volume", "5"), ("pages", "135--146"), ("year", "2017"), ("doi", "10.1162/tacl_a_00051")])
        case .sif:
            ("inproceedings", [("author", "Arora, Sanjeev and Liang, Yingyu and Ma, Tengyu"), ("title", "A Simple but Tough-to-Beat Baseline for Sentence Embeddings"),
                               ("booktitle", "International Conference on Learning Representations"), ("year", "2017")])
        case .analogies:
            ("inproceedings", [("author", "Levy, Omer and Goldberg, Yoav"), ("title", "Linguistic Regularities in Sparse and Explicit Word Representations"),
                               ("booktitle", "Proceedings of CoNLL 2014"), ("pages", "171--180"), ("year", "2014"), ("doi", "10.3115/v1/W14-1618")])
        case .stratifiedSGD:
            ("inproceedings", [("author", "Gemulla, Rainer and Nijkamp, Erik and Haas, Peter J. and Sismanis, Yannis"),
                               ("title", "Large-scale Matrix Factorization with Distributed Stochastic Gradient Descent"),
                               ("booktitle", "Proceedings of KDD 2011"), ("pages", "69--77"), ("year", "2011"), ("doi", "10.1145/2020408.2020426")])
        case .matthews:
            ("article", [("author", "Matthews, Brian W."), ("title", "Comparison of the Predicted and Observed Secondary Structure of {T4} Phage Lysozyme"),
                         ("journal", "Biochimica et Biophysica Acta"), ("volume", "405"), ("number", "2"), ("pages", "442--451"), ("year", "1975"), ("doi", "10.1016/0005-2795(75)90109-9")])
        case .mcNemar:
            ("article", [("author", "McNemar, Quinn"), ("title", "Note on the Sampling Error of the Difference Between Correlated Proportions or Percentages"),
                         ("journal", "Psychometrika"), ("volume", "12"), ("number", "2"), ("pages", "153--157"), ("year", "1947"), ("doi", "10.1007/BF02295996")])
        case .calibration:
            ("inproceedings", [("author", "Guo, Chuan and Pleiss, Geoff and Sun, Yu and Weinberger, Kilian Q."), ("title", "On Calibration of Modern Neural Networks"),
                               ("booktitle", "Proceedings of ICML 2017"), ("pages", "1321--1330"), ("year", "2017")])
        case .pullToPretrained:
            ("inproceedings", [("author", "Li, Xuhong and Grandvalet, Yves and Davoine, Franck"), ("title", "Explicit Inductive Bias for Transfer Learning with Convolutional Networks"),
                               ("booktitle", "Proceedings of ICML 2018"), ("pages", "2825--2834"), ("year", "2018")])
        case .layerRates:
            ("inproceedings", [("author", "Howard, Jeremy and Ruder, Sebastian"), ("title", "Universal Language Model Fine-tuning for Text Classification"),
                               ("booktitle", "Proceedings of ACL 2018"), ("pages", "328--339"), ("year", "2018"), ("doi", "10.18653/v1/P18-1031")])
        case .setFit:
            ("misc", [("author", "Tunstall, Lewis and Reimers, Nils and Jo, Unso Eun Seo and Bates, Luke and Korat, Daniel and Wasserblat, Moshe and Pereg, Oren"),
                      ("title", "Efficient Few-Shot Learning Without Prompts"), ("year", "2022"), ("eprint", "2209.11055"), ("archiveprefix", "arXiv")])
        case .autoencoder:
            ("article", [("author", "Hinton, Geoffrey E. and Salakhutdinov, Ruslan R."), ("title", "Reducing the Dimensionality of Data with Neural Networks"),
                         ("journal", "Science"), ("volume", "313"), ("number", "5786"), ("pages", "504--507"), ("year", "2006"), ("doi", "10.1126/science.1127647")])
        case .topUnits:
            ("inproceedings", [("author", "Makhzani, Alireza and Frey, Brendan"), ("title", "k-Sparse Autoencoders"),
                               ("booktitle", "International Conference on Learning Representations"), ("year", "2014")])
        case .denoising:
            ("inproceedings", [("author", "Vincent, Pascal and Larochelle, Hugo and Bengio, Yoshua and Manzagol, Pierre-Antoine"),
                               ("title", "Extracting and Composing Robust Features with Denoising Autoencoders"), ("booktitle", "Proceedings of ICML 2008"), ("pages", "1096--1103"),
                               ("year", "2008"), ("doi", "10.1145/1390156.1390294")])
        }
        return "@\(kind){\(rawValue),\n" + fields.map { "  \($0) = {\($1)}" }.joined(separator: ",\n") + "\n}"
    }

    /// The program itself.
    public static func program(_ version: String) -> String {
        "@software{kotonoha,\n  author = {{The Kotonoha contributors}},\n  title = {Kotonoha: sentence embeddings and similarity},\n  version = {\(version)}\n}"
    }
}
