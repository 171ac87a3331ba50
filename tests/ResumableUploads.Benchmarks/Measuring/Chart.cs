using System.Globalization;
using System.Security;
using System.Text;

namespace ResumableUploads.Benchmarks.Measuring;

/// <summary>A bar chart of MB/s and processor time per GiB, as SVG.</summary>
internal sealed class Chart(string title, string machine)
{
    private const int BarHeight = 18;
    private const int RowHeight = 26;
    private const int NameWidth = 230;
    private const int PanelWidth = 280;
    private const int Top = 74;
    private readonly List<(string Name, double Rate, double Processor)> _bars = [];

    public void Add(string name, double rate, double processor) => _bars.Add((name, rate, processor));

    public void Write(string path)
    {
        int height = Top + (_bars.Count * RowHeight) + 12;
        int width = NameWidth + (2 * PanelWidth) + 10;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n");
        Text(svg, 10, 20, title, "#111111");
        Text(svg, 10, 38, machine, "#555555");
        Text(svg, NameWidth, Top - 12, "MB/s (more is better)", "#111111");
        Text(svg, NameWidth + PanelWidth, Top - 12, "server CPU, s per GiB (less is better)", "#111111");
        for (int i = 0; i < _bars.Count; i++)
        {
            int y = Top + (i * RowHeight);
            Text(svg, 10, y + 13, _bars[i].Name, "#111111");
            Bar(svg, NameWidth, y, _bars[i].Rate, _bars.Max(static bar => bar.Rate), "0", "#2f6fb3");
            Bar(svg, NameWidth + PanelWidth, y, _bars[i].Processor, _bars.Max(static bar => bar.Processor), "0.00", "#b3602f");
        }

        svg.Append("</svg>\n");
        File.WriteAllText(path, svg.ToString());
    }

    private static void Bar(StringBuilder svg, int x, int y, double value, double max, string format, string fill)
    {
        double length = value / max * (PanelWidth - 70);
        svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x}\" y=\"{y}\" width=\"{length:0.0}\" height=\"{BarHeight}\" fill=\"{fill}\"/>\n");
        Text(svg, x + length + 5, y + 13, value.ToString(format, CultureInfo.InvariantCulture), "#111111");
    }

    private static void Text(StringBuilder svg, double x, double y, string text, string fill) =>
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.0}\" y=\"{y:0.0}\" fill=\"{fill}\">{SecurityElement.Escape(text)}</text>\n");
}
