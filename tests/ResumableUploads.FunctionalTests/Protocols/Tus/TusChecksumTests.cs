using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>Checksums in headers and trailers (tus 1.0.0, Checksum; docs/protocols/tus.md#checksum).</summary>
public class TusChecksumTests
{
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(100_000);

    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Checksum_extension_is_advertised_only_if_store_supports_staging(string place)
    {
        await using TusApp with = await TusApp.StartAsync(place);
        await using TusApp without = await TusApp.StartAsync(place, static options => options.Store = new FailingStore { CanStage = false });
        using HttpResponseMessage can = await with.Client.TusAsync("OPTIONS", TusApp.Url);
        using HttpResponseMessage cannot = await without.Client.TusAsync("OPTIONS", TusApp.Url);
        Assert.Contains("checksum", can.Header("Tus-Extension")!.Split(','));
        Assert.Contains("sha1", can.Header("Tus-Checksum-Algorithm")!.Split(','));
        Assert.DoesNotContain("checksum", cannot.Header("Tus-Extension"), StringComparison.Ordinal);
        Assert.Null(cannot.Header("Tus-Checksum-Algorithm"));

        string url = await without.Client.CreateAsync(TusApp.Url, 3);
        Assert.Equal(400, await without.Client.AppendChunkAsync(url, 0, [1, 2, 3], ("Upload-Checksum", Sha1([1, 2, 3]))).StatusOfAsync());
        Assert.Equal(0, await without.Client.OffsetAsync(url));
    }

    [Theory]
    [InlineData("ready-made", "sha1")]
    [InlineData("mapped", "sha256")]
    [InlineData("endpoint", "sha512")]
    [InlineData("ready-made", "md5")]
    [InlineData("endpoint", "crc32")]
    public async Task Chunk_is_stored_only_if_its_checksum_matches(string place, string algorithm)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        string checksum = ChecksumOf(algorithm, File);
        byte[] damaged = [.. File];
        damaged[50_000] ^= 1;
        using (HttpResponseMessage rejected = await app.Client.AppendChunkAsync(url, 0, damaged, ("Upload-Checksum", checksum)))
        {
            Assert.Equal((460, "0"), ((int)rejected.StatusCode, rejected.Header("Upload-Offset")));
        }

        Assert.Equal(0, await app.Client.OffsetAsync(url));
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, File, ("Upload-Checksum", checksum)).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [InlineData("sha3 AAAA")]
    [InlineData("SHA1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=")]
    [InlineData("sha1")]
    [InlineData("sha1 ")]
    [InlineData("sha1  2jmj7l5rSw0yVb/vlWAYkK/YBwk=")]
    [InlineData("sha1 2jmj7l5rSw0yVb/vlWAYkK/YBw==")]
    [InlineData("sha1 not base64")]
    [InlineData("sha256 2jmj7l5rSw0yVb/vlWAYkK/YBwk=")]
    public async Task Malformed_checksum_returns_400_before_body_is_read(string checksum)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(400, await app.Client.AppendChunkAsync(url, 0, new byte[3], ("Upload-Checksum", checksum)).StatusOfAsync());
        Assert.Equal(400, await app.Client.TusAsync("POST", TusApp.Url, new byte[3], ("Upload-Length", "3"), ("Upload-Checksum", checksum)).StatusOfAsync());
        Assert.Equal(0, await app.Client.OffsetAsync(url));
        Assert.Empty(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Checksum_of_creation_with_upload_is_verified(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        using HttpResponseMessage wrong = await app.Client.TusAsync(
            "POST", TusApp.Url, [1, 2, 3], ("Upload-Length", "3"), ("Upload-Checksum", Sha1([1, 2, 4])));
        Assert.Equal((460, null), ((int)wrong.StatusCode, wrong.Header("Location")));
        Assert.Empty(app.Seen);
        using HttpResponseMessage right = await app.Client.TusAsync(
            "POST", TusApp.Url, [1, 2, 3], ("Upload-Length", "3"), ("Upload-Checksum", Sha1([1, 2, 3])));
        Assert.Equal(201, (int)right.StatusCode);
        Assert.Equal([1, 2, 3], Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Checksum_mismatch_keeps_earlier_chunks(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, File[..60_000]).StatusOfAsync());
        Assert.Equal(460, await app.Client.AppendChunkAsync(url, 60_000, new byte[40_000], ("Upload-Checksum", Sha1(File[60_000..]))).StatusOfAsync());
        Assert.Equal(60_000, await app.Client.OffsetAsync(url));
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 60_000, File[60_000..], ("Upload-Checksum", Sha1(File[60_000..]))).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [InlineData("ready-made", true)]
    [InlineData("mapped", true)]
    [InlineData("endpoint", true)]
    [InlineData("ready-made", false)]
    public async Task Interrupted_chunk_with_checksum_is_discarded(string place, bool inFiles)
    {
        await using TusApp app = await TusApp.StartAsync(place, options => options.Store = inFiles ? null : options.Store, onKestrel: true);
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, File[..10]).StatusOfAsync());
        await using (RawConnection connection = await RawConnection.OpenAsync(app.Address))
        {
            await connection.SendHeadAsync($"PATCH {url}", [.. Head(10), $"Upload-Checksum: {Sha1(File[10..])}", $"Content-Length: {File.Length - 10}"]);
            await connection.SendAsync(File.AsMemory(10, 90_000));
            connection.Finish();
            await connection.ReadResponseAsync();
        }

        Assert.Equal(10, await app.Client.OffsetAsync(url));
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 10, File[10..]).StatusOfAsync());
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [InlineData("ready-made", "sha1", 204)]
    [InlineData("mapped", "sha256", 204)]
    [InlineData("endpoint", "crc32", 204)]
    [InlineData("ready-made", "wrong", 460)]
    [InlineData("endpoint", "wrong", 460)]
    [InlineData("ready-made", "missing", 400)]
    [InlineData("endpoint", "missing", 400)]
    [InlineData("ready-made", "unknown", 400)]
    [InlineData("ready-made", "other", 400)]
    public async Task Checksum_trailer_is_verified(string place, string what, int status)
    {
        await using TusApp app = await TusApp.StartAsync(place, onKestrel: true);
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        await using RawConnection connection = await RawConnection.OpenAsync(app.Address);
        await connection.SendHeadAsync($"PATCH {url}", [.. Head(0), "Trailer: Upload-Checksum", "Transfer-Encoding: chunked"]);
        await connection.SendChunkAsync(File.AsMemory(0, 60_000));
        await connection.SendChunkAsync(File.AsMemory(60_000));
        await connection.SendAsync("0\r\n" + what switch
        {
            "missing" => "",
            "other" => "X-Something: else\r\n",
            "unknown" => "Upload-Checksum: sha3 AAAA\r\n",
            "wrong" => $"Upload-Checksum: {Sha1(File[1..])}\r\n",
            _ => $"Upload-Checksum: {ChecksumOf(what, File)}\r\n",
        } + "\r\n");
        Assert.Equal(status, (await connection.ReadResponseAsync())?.Status);
        Assert.Equal(status == 204 ? File.Length : 0, await app.Client.OffsetAsync(url));
        Assert.Equal(status == 204 ? 1 : 0, app.Seen.Count);
    }

    [Theory]
    [InlineData("ready-made", true)]
    [InlineData("endpoint", true)]
    [InlineData("mapped", false)]
    public async Task Checksum_over_http2_is_verified(string place, bool isValid)
    {
        await using TusApp app = await TusApp.StartAsync(place, onKestrel: true, protocols: HttpProtocols.Http2);
        app.Client.DefaultRequestVersion = HttpVersion.Version20;
        app.Client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        using var request = new HttpRequestMessage(HttpMethod.Patch, url)
        {
            Content = new ByteArrayContent(File),
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Add("Tus-Resumable", "1.0.0");
        request.Headers.Add("Upload-Offset", "0");
        request.Headers.Add("Trailer", "Upload-Checksum");
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/offset+octet-stream");

        // HttpClient does not send trailers, so the announced trailer is missing.
        Assert.Equal(400, await app.Client.SendAsync(request).StatusOfAsync());
        Assert.Equal(0, await app.Client.OffsetAsync(url));
        Assert.Equal(isValid ? 204 : 460, await app.Client.AppendChunkAsync(url, 0, File, ("Upload-Checksum", Sha1(isValid ? File : File[1..]))).StatusOfAsync());
    }

    [Fact]
    public async Task Checksum_before_and_after_the_body_returns_400()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        string url = await app.Client.CreateAsync(TusApp.Url, 10);
        Assert.Equal(400, await app.Client.AppendChunkAsync(url, 0, [1], ("Trailer", "Upload-Checksum"), ("Upload-Checksum", Sha1([1]))).StatusOfAsync());
    }

    private static string[] Head(long offset) =>
        ["Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream", $"Upload-Offset: {offset}"];

    private static string Sha1(byte[] bytes) => ChecksumOf("sha1", bytes);

    [SuppressMessage("Security", "CA5350", Justification = "The protocol demands it.")]
    [SuppressMessage("Security", "CA5351", Justification = "A client may use it against damage on the way.")]
    private static string ChecksumOf(string algorithm, byte[] bytes) => algorithm + " " + Convert.ToBase64String(algorithm switch
    {
        "sha1" => SHA1.HashData(bytes),
        "sha256" => SHA256.HashData(bytes),
        "sha512" => SHA512.HashData(bytes),
        "md5" => MD5.HashData(bytes),
        _ => Crc32(bytes),
    });

    /// <summary>Computes the CRC-32 of ISO 3309 bit by bit, independently of the implementation. The most significant byte comes first.</summary>
    private static byte[] Crc32(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int i = 0; i < 8; i++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }

        crc = ~crc;
        return [(byte)(crc >> 24), (byte)(crc >> 16), (byte)(crc >> 8), (byte)crc];
    }
}
