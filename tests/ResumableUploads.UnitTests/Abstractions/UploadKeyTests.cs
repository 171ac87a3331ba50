using ResumableUploads.Abstractions;

namespace ResumableUploads.UnitTests.Abstractions;

public class UploadKeyTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("0-9-z")]
    public void A_safe_part_is_taken(string part) => Assert.Equal(part, new UploadKey(part, "id").Owner);

    [Theory]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData("A")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("é")]
    public void What_could_be_more_than_a_name_is_refused(string part)
    {
        Assert.Throws<ArgumentException>(() => new UploadKey(part, "id"));
        Assert.Throws<ArgumentException>(() => new UploadKey("owner", part));
    }

    [Fact]
    public void The_owner_is_part_of_the_name() => Assert.NotEqual(new UploadKey("a", "x"), new UploadKey("b", "x"));
}
