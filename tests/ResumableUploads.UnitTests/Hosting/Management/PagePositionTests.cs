using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Management;

namespace ResumableUploads.UnitTests.Hosting.Management;

public class PagePositionTests
{
    [Theory]
    [InlineData("0:")]
    [InlineData("12:")]
    [InlineData("0:user-1/ab")]
    public void Valid_position_is_parsed_and_formatted(string text)
    {
        Assert.True(PagePosition.TryParse(text, out PagePosition position));
        Assert.Equal(text, position.ToString());
    }

    [Fact]
    public void Null_is_the_first_position()
    {
        Assert.True(PagePosition.TryParse(null, out PagePosition position));
        Assert.Equal(new PagePosition(0, null), position);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData(":a/b")]
    [InlineData("-1:a/b")]
    [InlineData("x:a/b")]
    [InlineData("0:a")]
    [InlineData("0:a/")]
    [InlineData("0:/b")]
    [InlineData("0:a/b/c")]
    [InlineData("0:../b")]
    [InlineData("0:A/b")]
    [InlineData("99999999999:a/b")]
    public void Invalid_position_is_rejected(string text) => Assert.False(PagePosition.TryParse(text, out _));

    [Fact]
    public void Position_of_a_key_has_its_parts() =>
        Assert.Equal("3:o/i", new PagePosition(3, new UploadKey("o", "i")).ToString());
}
