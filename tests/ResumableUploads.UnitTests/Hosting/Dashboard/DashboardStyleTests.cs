using System.Globalization;
using System.Text.RegularExpressions;
using ResumableUploads.Testing;

namespace ResumableUploads.UnitTests.Hosting.Dashboard;

/// <summary>Contrasts of the colors of the dashboard, see https://www.w3.org/TR/WCAG22/#contrast-minimum.</summary>
public partial class DashboardStyleTests
{
    [Theory]
    [InlineData(0, "text", "background", 4.5)]
    [InlineData(0, "text", "surface", 4.5)]
    [InlineData(0, "muted", "background", 4.5)]
    [InlineData(0, "link", "background", 4.5)]
    [InlineData(0, "line", "background", 3)]
    [InlineData(1, "text", "background", 4.5)]
    [InlineData(1, "text", "surface", 4.5)]
    [InlineData(1, "muted", "background", 4.5)]
    [InlineData(1, "link", "background", 4.5)]
    [InlineData(1, "line", "background", 3)]
    public void Colors_have_the_contrast_of_AA(int scheme, string foreground, string background, double minimum)
    {
        string css = RepositoryFiles.Read("src/ResumableUploads/Hosting/Dashboard/Assets/dashboard.css");
        double[] luminances = [.. new[] { foreground, background }.Select(name => Luminance(Color().Matches(css).Where(match => match.Groups[1].Value == name).ElementAt(scheme).Groups[2].Value)).Order()];
        Assert.InRange((luminances[1] + 0.05) / (luminances[0] + 0.05), minimum, 21);
    }

    private static double Luminance(string color)
    {
        double Channel(int index)
        {
            double value = int.Parse(color.AsSpan(index * 2, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0;
            return value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);
        }

        return (0.2126 * Channel(0)) + (0.7152 * Channel(1)) + (0.0722 * Channel(2));
    }

    [GeneratedRegex("--([a-z]+): #([0-9a-f]{6});")]
    private static partial Regex Color();
}
