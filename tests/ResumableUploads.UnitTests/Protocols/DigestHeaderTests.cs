using System.Security.Cryptography;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Engine.Digests;
using ResumableUploads.Protocols;

namespace ResumableUploads.UnitTests.Protocols;

public class DigestHeaderTests
{
    private static readonly string Sha256 = Convert.ToBase64String(SHA256.HashData("x"u8));
    private static readonly string Sha512 = Convert.ToBase64String(SHA512.HashData("x"u8));

    [Fact]
    public void F10_no_header_is_no_digest()
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
    public void F10_the_first_algorithm_that_is_known_counts(string header)
    {
        Assert.True(DigestHeaders.TryParse(Filled(header), out Digest? digest));
        Assert.Equal((DigestAlgorithm.Sha256, $"sha-256=:{Sha256}:"), (digest!.Algorithm, digest.ToString()));
    }

    [Fact]
    public void F10_sha_512_is_known_too_and_may_come_in_a_header_of_its_own()
    {
        Assert.True(DigestHeaders.TryParse(Filled("sha-512=:{512}:"), out Digest? digest));
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
    public void F10_what_cannot_be_read_or_is_not_known_is_no_digest(string header) =>
        Assert.False(DigestHeaders.TryParse(new StringValues([Filled(header)]), out _));

    private static string Filled(string header) =>
        header.Replace("{256}", Sha256, StringComparison.Ordinal).Replace("{512}", Sha512, StringComparison.Ordinal);
}
