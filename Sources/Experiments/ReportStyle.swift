/// The page's style sheet: light and dark by the reader's setting, and light on paper.
enum ReportStyle {
    static var css: String {
        """
        :root { color-scheme: light dark; --page: #f4f6f8; --tint: 10%; \(variables(\.light)) }
        @media (prefers-color-scheme: dark) { :root { --page: #0e1116; --tint: 22%; \(variables(\.dark)) } }
        @media print { :root { color-scheme: light; --page: #ffffff; --tint: 10%; \(variables(\.light)) } }
        \(rules)
        """
    }

    private static func variables(_ value: KeyPath<PlotStyle.Colour, String>) -> String {
        PlotStyle.colours.map { "--\($0.name): \($0[keyPath: value]);" }.joined(separator: " ")
    }

    private static let rules = """
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; }
        main { max-width: 1240px; margin: 0 auto; padding: 44px 28px 56px; }
        .eyebrow { margin: 0 0 10px; color: var(--muted); font-size: 14px; }
        h1 { margin: 0 0 14px; font-size: 32px; line-height: 1.22; font-weight: 650; letter-spacing: -0.015em;
          text-wrap: balance; max-width: 33em; }
        h2 { margin: 44px 0 12px; font-size: 20px; font-weight: 650; letter-spacing: -0.01em; }
        h3 { margin: 0; font-size: 14px; font-weight: 600; }
        .further { margin: 0 0 3px; color: var(--muted); font-size: 16px; max-width: 62em; }
        .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 14px;
          margin: 28px 0 18px; }
        .card { background: var(--surface); border: 1px solid var(--grid); border-top: 4px solid var(--accent);
          border-radius: 10px; padding: 14px 16px 14px; }
        .card .figure { margin: 6px 0 0; font-size: 31px; line-height: 1.15; font-weight: 680;
          letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
        .card .change { margin: 2px 0 10px; color: var(--muted); font-size: 13px; }
        .card ul { margin: 0; padding: 10px 0 0; border-top: 1px solid var(--grid); list-style: none;
          font-size: 13.5px; }
        .further + .figures, header + .figures { margin-top: 22px; }
        .figures { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 14px; }
        figure { margin: 0; background: var(--surface); border: 1px solid var(--grid); border-radius: 10px;
          padding: 14px 14px 6px; }
        figcaption { font-weight: 600; margin: 0 4px 6px; }
        figure svg { display: block; width: 100%; height: auto; }
        .scroll { overflow-x: auto; background: var(--surface); border: 1px solid var(--grid); border-radius: 10px; }
        table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
        th, td { padding: 8px 10px; text-align: right; vertical-align: top; white-space: nowrap; }
        th { color: var(--muted); font-weight: 600; vertical-align: bottom; white-space: normal; }
        th.text, td.text { text-align: left; }
        tbody tr { border-top: 1px solid var(--grid); }
        .legend { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 26px 2px 10px; font-size: 14px; }
        .mark { display: inline-block; width: 1.1em; }
        .bar { display: inline-block; min-width: 1px; height: 9px;
          margin-right: 8px; background: var(--blue); border-radius: 2px; vertical-align: baseline; }
        .matrices { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 14px; }
        .matrix { padding: 10px; } .matrix svg { aspect-ratio: 1; }
        .matrix figcaption { margin: 6px 0 0; font-size: 13px; }
        .note { color: var(--muted); font-size: 12.5px; }
        p.note { max-width: 78em; margin: 10px 2px; }
        .pill { display: inline-block; padding: 1px 10px; border-radius: 999px; font-weight: 600; color: var(--accent);
          background: color-mix(in srgb, var(--accent) var(--tint), transparent); }
        details { margin: 0; } summary { cursor: pointer; margin-bottom: 10px; color: var(--muted); }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 7px 22px; margin: 0; font-size: 14px; }
        dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
        code { font: 13px ui-monospace, "SF Mono", Menlo, "Liberation Mono", monospace; }
        section ul { padding-left: 20px; margin: 10px 0; } section li { margin: 3px 0; overflow-wrap: anywhere; }
        .warning { border-left: 4px solid var(--vermilion); padding: 4px 12px; margin: 0 0 14px; }
        @media (max-width: 860px) {
          .figures { grid-template-columns: 1fr; } main { padding: 24px 14px; } h1 { font-size: 25px; }
        }
        @media print {
          @page { size: A4 landscape; margin: 12mm; }
          * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
          main { max-width: none; padding: 0; } h1 { font-size: 25px; } h2 { margin-top: 26px; }
          .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); }
          .cards { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); }
          .cards, .legend { margin-top: 14px; } .further { font-size: 13px; } body { font-size: 12.5px; }
          figure, .card, tr, dl, section ul { break-inside: avoid; } h2 { break-after: avoid; }
          .scroll { overflow: visible; } table { font-size: 10.5px; } th, td { padding: 5px 6px; }
          .note { font-size: 10px; }
          details::details-content { content-visibility: visible; block-size: auto; }
        }
        """
}
