using ResumableUploads.Abstractions;

namespace ResumableUploads.UnitTests.Abstractions;

public class UploadKeyTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("0-9-z")]
    public void Constructor_with_valid_part_keeps_it(string part) => Assert.Equal(part, new UploadKey(part, "id").Owner);

    [Theory]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData("A")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("é")]
    public void Constructor_with_invalid_part_throws(string part)
    {
        Assert.Throws<ArgumentException>(() => new UploadKey(part, "id"));
        Assert.Throws<ArgumentException>(() => new UploadKey("owner", part));
    }

    [Fact]
    public void Keys_of_two_owners_differ() => Assert.NotEqual(new UploadKey("a", "x"), new UploadKey("b", "x"));
}
