using ResumableUploads.Hosting.Dashboard;

namespace ResumableUploads.UnitTests.Hosting.Dashboard;

public class HtmlWriterTests
{
    [Theory]
    [InlineData("<script>", "&lt;script&gt;")]
    [InlineData("\" onload='x'", "&quot; onload=&#x27;x&#x27;")]
    [InlineData("a&b", "a&amp;b")]
    [InlineData("\u202Egpj.exe", "&#x202E;gpj.exe")]
    [InlineData(null, "")]
    public void Value_is_encoded(string? value, string encoded) =>
        Assert.Equal($"<b title=\"{encoded}\">{encoded}</b>\n", new HtmlWriter().Write($"""<b title="{value}">{value}</b>""").ToString());

    [Fact]
    public void Number_and_markup_are_not_encoded() => Assert.Equal("<i>-1</i>\n", new HtmlWriter().Write($"<i>{-1L}</i>").ToString());
}
