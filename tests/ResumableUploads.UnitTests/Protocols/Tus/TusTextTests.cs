using ResumableUploads.Engine.Digests;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.UnitTests.Protocols.Tus;

/// <summary>The small texts of tus: metadata (T-38) and checksums (T-50, T-51).</summary>
public class TusTextTests
{
    [Theory]
    [InlineData("filename YS50eHQ=", "a.txt", null)]
    [InlineData("name YS50eHQ=", "a.txt", null)]
    [InlineData("filename Yi50eHQ=,name YS50eHQ=", "b.txt", null)]
    [InlineData("filename YS50eHQ= , filetype dGV4dC9wbGFpbg==", "a.txt", "text/plain")]
    [InlineData("type dGV4dC9wbGFpbg==", null, "text/plain")]
    [InlineData("filename", null, null)]
    [InlineData("filename /w==", null, null)]
    [InlineData("filetype dGV4dAovcGxhaW4=", null, null)]
    [InlineData("Filename YS50eHQ=", null, null)]
    public void T38_the_name_and_the_type_are_read_where_they_are_text(string raw, string? name, string? type)
    {
        TusMetadata? metadata = TusMetadata.TryParse(raw);
        Assert.Equal((raw, name, type), (metadata?.HeaderValue, metadata?.FileName, metadata?.ContentType));
    }

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("a,")]
    [InlineData("a,,b")]
    [InlineData("a  YQ==")]
    [InlineData("a YQ== YQ==")]
    [InlineData("a YQ")]
    [InlineData("a ====")]
    [InlineData("a,a")]
    [InlineData("\u00e4 YQ==")]
    [InlineData("a\tb")]
    [InlineData("a\x7f")]
    [InlineData("a Y\tQ==")]
    public void T38_what_is_malformed_is_nothing(string raw) => Assert.Null(TusMetadata.TryParse(raw));

    [Theory]
    [InlineData(TusMetadata.MaxLength, true)]
    [InlineData(TusMetadata.MaxLength + 1, false)]
    public void T38_metadata_have_a_longest(int length, bool isTaken) => Assert.Equal(isTaken, TusMetadata.TryParse(new string('k', length)) is not null);

    [Fact]
    public void T50_the_algorithms_are_told_in_lower_case_and_sha1_is_one() =>
        Assert.Equal(["crc32", "md5", "sha1", "sha256", "sha512"], TusChecksum.AlgorithmNames.Split(',').Order(StringComparer.Ordinal));

    [Fact]
    public void T51_a_checksum_of_each_algorithm_is_read()
    {
        foreach (DigestAlgorithm algorithm in DigestAlgorithm.All)
        {
            string name = TusDigestAlgorithms.GetName(algorithm);
            byte[] value = new byte[algorithm.HashSizeInBytes];
            value[^1] = 7;
            Digest? digest = TusChecksum.TryParse($"{name} {Convert.ToBase64String(value)}");
            Assert.Equal((algorithm, true), (digest?.Algorithm, digest?.Value.Span.SequenceEqual(value)));
            Assert.Null(TusChecksum.TryParse($"{name} {Convert.ToBase64String([.. value, 1])}"));
            Assert.Null(TusChecksum.TryParse($"{name} {Convert.ToBase64String(value[1..])}"));
            Assert.Null(TusChecksum.TryParse($"{name.ToUpperInvariant()} {Convert.ToBase64String(value)}"));
        }
    }
}
