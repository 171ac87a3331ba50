using ResumableUploads.Hosting.Options.Validation;
using ResumableUploads.Hosting.Options;

namespace ResumableUploads.UnitTests.Hosting.Options;

public class NearestNameTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("", "abc", 3)]
    [InlineData("abc", "", 3)]
    [InlineData("MaxAge", "maxage", 0)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("MinRate", "MinDataRate", 4)]
    [InlineData("ab", "ba", 2)]
    public void Distance_counts_edits_and_ignores_case(string x, string y, int expected)
    {
        Assert.Equal(expected, NearestName.Distance(x, y));
        Assert.Equal(expected, NearestName.Distance(y, x));
    }

    [Fact]
    public void Of_returns_the_nearest_candidate_or_null()
    {
        Assert.Equal("videos", NearestName.Of("vidoes", ["images", "videos", "documents"]));
        Assert.Null(NearestName.Of("videos", []));
    }
}
