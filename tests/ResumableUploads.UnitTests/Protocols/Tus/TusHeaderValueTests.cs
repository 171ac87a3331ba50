using ResumableUploads.Engine.Digests;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.UnitTests.Protocols.Tus;

/// <summary>The values of Upload-Metadata and Upload-Checksum (tus 1.0.0, Creation and Checksum).</summary>
public class TusHeaderValueTests
{
    [Theory]
    [InlineData("filename YS50eHQ=", "a.txt", null)]
    [InlineData("name YS50eHQ=", "a.txt", null)]
    [InlineData("filename Yi50eHQ=,name YS50eHQ=", "b.txt", null)]
    [InlineData("filename YS50eHQ= , filetype dGV4dC9wbGFpbg==", "a.txt", "text/plain")]
    [InlineData("type dGV4dC9wbGFpbg==", null, "text/plain")]
    [InlineData("filename", null, null)]
    [InlineData("filename /w==", "\u00ff", null)]
    [InlineData("filename 5i50eHQ=", "\u00e6.txt", null)]
    [InlineData("filename YS50eHQ=,", "a.txt", null)]
    [InlineData("filename YS50eHQ= ,,\t, ", "a.txt", null)]
    [InlineData("filename YS50eHQ=\t,\t filetype dGV4dC9wbGFpbg==\t", "a.txt", "text/plain")]
    [InlineData("filename YS50eHQ", "a.txt", null)]
    [InlineData("filename YS50eA", "a.tx", null)]
    [InlineData("filename YS50eA=", "a.tx", null)]
    [InlineData("filename,name YS50eHQ=", null, null)]
    [InlineData("filename not-base64!,name YS50eHQ=", "a.txt", null)]
    [InlineData("filename YS50e,name YS50eHQ=", "a.txt", null)]
    [InlineData("filename =", null, null)]
    [InlineData("filename ====", null, null)]
    [InlineData("filename YQ===", null, null)]
    [InlineData("filetype /w==,type dGV4dC9wbGFpbg==", null, "text/plain")]
    [InlineData("filetype dGV4dC/DqQ==", null, null)]
    [InlineData("filetype dGV4dAovcGxhaW4=", null, null)]
    [InlineData("Filename YS50eHQ=", null, null)]
    public void Metadata_returns_file_name_and_content_type(string raw, string? name, string? type)
    {
        TusMetadata? metadata = TusMetadata.TryParse(raw);
        Assert.Equal((raw, name, type), (metadata?.HeaderValue, metadata?.FileName, metadata?.ContentType));
    }

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData(", ,")]
    [InlineData(",a")]
    [InlineData("a, ,b")]
    [InlineData("a,,b")]
    [InlineData("a  YQ==")]
    [InlineData("a YQ== YQ==")]
    [InlineData("a,a")]
    [InlineData("\u00e4 YQ==")]
    [InlineData("a\tb")]
    [InlineData("a\x7f")]
    [InlineData("a Y\tQ==")]
    [InlineData("a\tYQ==")]
    [InlineData("a \u00e4")]
    public void Malformed_metadata_returns_null(string raw) => Assert.Null(TusMetadata.TryParse(raw));

    [Fact]
    public void Values_are_those_that_are_base64_of_UTF8() =>
        Assert.Equal(
            new Dictionary<string, string> { ["text"] = "a.txt", ["unpadded"] = "a", ["empty"] = "" },
            TusMetadata.TryParse("text YS50eHQ=,unpadded YQ,empty,binary /w==,other ?!,")?.Values);

    [Theory]
    [InlineData(TusMetadata.MaxLength, true)]
    [InlineData(TusMetadata.MaxLength + 1, false)]
    public void Metadata_above_maximum_length_returns_null(int length, bool isTaken) => Assert.Equal(isTaken, TusMetadata.TryParse(new string('k', length)) is not null);

    [Fact]
    public void Checksum_algorithm_names_are_lower_case_and_include_sha1() =>
        Assert.Equal(["crc32", "md5", "sha1", "sha256", "sha512"], TusChecksum.AlgorithmNames.Split(',').Order(StringComparer.Ordinal));

    [Fact]
    public void Checksum_of_each_algorithm_is_parsed()
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
