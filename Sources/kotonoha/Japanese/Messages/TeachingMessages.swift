// One pair of texts per line.
// swift-format-ignore-file

extension Japanese {
    /// Of simulations and teaching figures.
    static let teachingMessages: KeyValuePairs<String, String> = [
        // draw
        "--dimensions '{0}' should look like 4-7, below --size {1}, at most {2} of them": "--dimensions '{0}' は 4-7 のように、--size {1} より小さい番号で、{2} 個までにしてください",
        "the text has no characters": "テキストに文字がありません",
        "--points must be {0} to {1}, --sampled {2} to --points − 1": "--points は {0} から {1} まで、--sampled は {2} から --points − 1 までです",
        "--degree and --path-degree are {0} to {1}, --repetitions {2} to {3}, --noise {4} to {5}": "--degree と --path-degree は {0} から {1} まで、--repetitions は {2} から {3} まで、--noise は {4} から {5} までです",

        // Every simulation.
        "--soa '{0}' should look like -400:400:100": "--soa '{0}' は -400:400:100 のように書きます",
        "--trials is {0} to {1}": "--trials は {0} から {1} までです",
        "--epochs is {0} to {1}": "--epochs は {0} から {1} までです",
        "--networks is {0} to {1}": "--networks は {0} から {1} までです",
        "--items is {0} to {1}": "--items は {0} から {1} までです",
        "--recover is {0} to {1}": "--recover は {0} から {1} までです",
        "--neighbors is {0} to {1}": "--neighbors は {0} から {1} までです",

        // simulate weaver, cumulative, erp
        "--critical-difference is {0} to {1}, --bias {2} to {3}, --distractor-duration {4} to {5}": "--critical-difference は {0} から {1} まで、--bias は {2} から {3} まで、--distractor-duration は {4} から {5} までです",
        "no column name is an SOA in milliseconds": "列の名前に SOA(ミリ秒)がありません",
        "'{0}' is not a number": "'{0}' は数ではありません",
        "'{0}' is not a number of milliseconds": "'{0}' はミリ秒の数ではありません",
        "--inhibition is {0} to {1}, --strengthening {2} to {3}, --positions {4} to {5}": "--inhibition は {0} から {1} まで、--strengthening は {2} から {3} まで、--positions は {4} から {5} までです",
        "--lags '{0}' should look like 2,4,6,8, each at most {1}": "--lags '{0}' は 2,4,6,8 のように書き、それぞれ {1} までです",
        "fitted: {0}; ms = {1} + {2} × cycles; RMSE {3} ms with four constants": "当てはめ: {0}。ミリ秒 = {1} + {2} × サイクル。RMSE {3} ミリ秒(定数は四つ)",
        "--strings is {0} to {1}, --epochs {2} to {3}, --networks {4} to {5}, --depletion {6} to {7}, --repetition {8} to {9}": "--strings は {0} から {1} まで、--epochs は {2} から {3} まで、--networks は {4} から {5} まで、--depletion は {6} から {7} まで、--repetition は {8} から {9} までです",
        "{0}: {1} strings, peak {2}, repeated {3} (means of {4} networks)": "{0}: 文字列 {1} 個、最大値 {2}、反復時 {3}({4} 個のネットワークの平均)",

        // simulate stroop
        "--task-demand and --noise are {0} to {1}, --rate is above {2} and at most {3}, --milliseconds-per-cycle above {4}": "--task-demand と --noise は {0} から {1} まで、--rate は {2} より大きく {3} まで、--milliseconds-per-cycle は {4} より大きい値です",
        "--weights and --train exclude each other": "--weights と --train は同時に指定できません",
        "--train is above {0} and at most {1}": "--train は {0} より大きく {1} までです",
        "--soa, --weights, --task-demand, --rate, --noise and --epochs apply only to --account pathways": "--soa、--weights、--task-demand、--rate、--noise、--epochs は --account pathways だけに使います",
        "Stroop (1935), four conditions: ms per item = {0} + {1} × cycles, R² {2}": "Stroop (1935)、4 条件: 1項目のミリ秒 = {0} + {1} × サイクル、R² {2}",

        // simulate naming
        "--variant is sp or wd, not '{0}'": "--variant は sp か wd です('{0}' ではなく)",
        "--trials is {0} to {1}, --surface-trials {2} to {3}": "--trials は {0} から {1} まで、--surface-trials は {2} から {3} までです",
        "--omissions is exclude or keep, not '{0}'": "--omissions は exclude か keep です('{0}' ではなく)",
        "--surface needs a single --variant": "--surface には --variant を一つだけ指定してください",
        "--semantics needs a single variant and no table of people": "--semantics では --variant を一つだけ指定し、人の表は指定しません",
        "--power needs a table of people": "--power には人の表が必要です",
        "--moments accompanies a simulation at given values (--at)": "--moments は、指定した値(--at)でのシミュレーションとともに使います",
        "--at simulates given values, and a table is for fitting; leave one of them out": "--at は指定した値のシミュレーション、表は当てはめのためのものです。どちらかを外してください",
        "--at {0} is not a parameter of {1}; its parameters are {2}": "--at {0} は {1} のパラメーターではありません。パラメーターは {2} です",
        "weights are {0} to {1} and decay is {2} to {3}": "重みは {0} から {1} まで、減衰率は {2} から {3} までです",
        "--at '{0}' should look like s=0.02": "--at '{0}' は s=0.02 のように書きます",
        "--fit {0} is not a parameter of {1}; its parameters are {2}": "--fit {0} は {1} のパラメーターではありません。パラメーターは {2} です",
        "--fit names no parameter": "--fit にパラメーターがありません",
        "--penalty '{0}' should look like s=1000@0.0698": "--penalty '{0}' は s=1000@0.0698 のように書きます",
        "--penalty {0} is not a parameter of the model": "--penalty {0} はモデルのパラメーターではありません",
        "{0} has responses outside the six categories; add --omissions exclude (proportions of classified responses) or --omissions keep (proportions of all pictures)": "{0} に、六つのカテゴリーに入らない反応があります。--omissions exclude(分類できた反応に対する割合)か --omissions keep(すべての絵に対する割合)を加えてください",
        "the table has proportions, assumed to be of {0} pictures (--items); with counts the intervals would be exact": "表の値は割合なので、{0} 枚の絵(--items)に対するものとします。度数なら正確な区間が求まります",
        "{0}: {1} fits in {2} s": "{0}: {1} 件の当てはめ、{2} 秒",
        "nothing to draw": "描くものがありません",
        "--power expects two people, such as L.H.,I.G.": "--power には、L.H.,I.G. のように二人を指定してください",
        "--power {0} is not in the table; its people are {1}": "--power {0} は表にありません。表にあるのは {1} です",
        "{0}: {1} and {2} differ with power {3} at {4} pictures each (likelihood-ratio test, α .05)": "{0}: {1} と {2} の違いは、絵 {4} 枚ずつで検定力 {3}(尤度比検定、α .05)",
        "{0}: {1} simulated people fitted in {2} s": "{0}: シミュレートした {1} 名を当てはめ、{2} 秒",
        "--recover fits all parameters": "--recover はすべてのパラメーターを当てはめます",
        "--recover without a table cannot draw a figure": "表のない --recover では図を描けません",
        "the parameter space of {0} was simulated before ({1} s)": "{0} のパラメーター空間は、すでにシミュレートしてあります({1} 秒)",
        "simulating the parameter space of {0} (once) …": "{0} のパラメーター空間をシミュレートしています(一度だけ) …",
        "done in {0} s": "{0} 秒で終わりました",
        "it could not be saved: {0}": "保存できませんでした: {0}",
        "--semantics needs the vectors of {0} to {1} words; there are {2}": "--semantics には {0} から {1} 語のベクトルが必要ですが、{2} 語です",
        "a vector is zero or not finite": "零ベクトル、または有限でないベクトルがあります",
    ]
}
