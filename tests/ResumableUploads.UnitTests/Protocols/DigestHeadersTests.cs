using System.Security.Cryptography;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Protocols;

namespace ResumableUploads.UnitTests.Protocols;

public class DigestHeadersTests
{
    private static readonly string Sha256 = Convert.ToBase64String(SHA256.HashData("x"u8));
    private static readonly string Sha512 = Convert.ToBase64String(SHA512.HashData("x"u8));

    [Fact]
    public void TryParse_without_header_returns_no_digest()
    {
        Assert.True(DigestHeaders.TryParse(default, out Digest? digest));
        Assert.Null(digest);
    }

    [Theory]
    [InlineData("sha-256=:{256}:")]
    [InlineData("  sha-256=:{256}:\t")]
    [InlineData("sha-256=:{256}:;q=1")]
    [InlineData("md5=:AAAA:, sha-256=:{256}:")]
    [InlineData("unixsum=:aQ==:,sha-256=:{256}:")]
    [InlineData("sha-256=:{256}:, sha-512=:{512}:")]
    public void TryParse_returns_first_supported_algorithm(string header)
    {
        Assert.True(DigestHeaders.TryParse(Fill(header), out Digest? digest));
        Assert.Equal((DigestAlgorithm.Sha256, $"sha-256=:{Sha256}:"), (digest!.Algorithm, digest.ToString()));
    }

    [Fact]
    public void TryParse_accepts_sha_512_and_several_header_lines()
    {
        Assert.True(DigestHeaders.TryParse(Fill("sha-512=:{512}:"), out Digest? digest));
        Assert.Equal(DigestAlgorithm.Sha512, digest!.Algorithm);
        Assert.True(DigestHeaders.TryParse(new StringValues(["md5=:AAAA:", $"sha-512=:{Sha512}:"]), out digest));
        Assert.Equal(DigestAlgorithm.Sha512, digest!.Algorithm);
        Assert.Equal(digest.Value.ToArray(), Digest.Parse(digest.ToString()).Value.ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("sha-256")]
    [InlineData("sha-256=")]
    [InlineData("sha-256=:")]
    [InlineData("sha-256=::")]
    [InlineData("=:{256}:")]
    [InlineData("sha-256={256}")]
    [InlineData("sha-256=\"{256}\"")]
    [InlineData("sha-256=:{256}")]
    [InlineData("sha-256={256}:")]
    [InlineData("sha-256=:{256}:x")]
    [InlineData("sha-256=:AAAA:")]
    [InlineData("sha-256=:{512}:")]
    [InlineData("sha-512=:{256}:")]
    [InlineData("sha-256=:!!!!:")]
    [InlineData("sha-256=:{256}:,")]
    [InlineData("sha-256=:{256}:, sha-512")]
    [InlineData("sha-256=:{256}:, sha-512=:AAAA:")]
    [InlineData("SHA-256=:{256}:")]
    [InlineData("md5=:AAAA:")]
    [InlineData("md5=:AAAA:, sha=:AAAA:")]
    [InlineData("md5=\"AAAA\", sha-256=:{256}:")]
    [InlineData("sha-256=:{256}:, md5=1")]
    public void TryParse_of_malformed_or_unsupported_header_returns_false(string header) =>
        Assert.False(DigestHeaders.TryParse(new StringValues([Fill(header)]), out _));

    [Theory]
    [InlineData("sha-256=?1")]
    [InlineData("sha-256")]
    [InlineData("sha-256=:AQ==:")]
    [InlineData("sha-256=\"1\"")]
    [InlineData("sha-256=1.5")]
    public void GetPreferred_ignores_preference_that_is_no_integer(string header) =>
        Assert.Null(DigestHeaders.GetPreferred(new StringValues([header])));

    private static string Fill(string header) =>
        header.Replace("{256}", Sha256, StringComparison.Ordinal).Replace("{512}", Sha512, StringComparison.Ordinal);
}
