using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>
/// The requests of TusDotNetClient, byte for byte. It uses <c>HttpWebRequest</c> with a connection for each request, sends a SHA-1 checksum with each chunk,
/// begins each upload with HEAD, and accepts only 204 for PATCH.
/// </summary>
public sealed class TusDotNetClientTests
{
    private const int ChunkSize = 5;
    private static readonly byte[] File = Encoding.ASCII.GetBytes("hello, world");

    /// <summary>The kinds of upload path. The handler responds with a body.</summary>
    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task File_is_uploaded_in_chunks_and_deleted(string place)
    {
        await using TusApp app = await StartAsync(place);
        await using var client = new RawExchange(app.Address);
        string upload = await CreateAsync(client);
        await UploadAsync(client, upload, 0, File);
        ReceivedFile received = Assert.Single(app.Seen);
        Assert.Equal(("hello, world", "caf\u00e9.txt"), (Encoding.ASCII.GetString(received.Content), received.FileName));

        // UploadAsync of a complete file only asks for the offset.
        Assert.Equal(File.Length, await GetOffsetAsync(client, upload));
        RawResponse deleted = await client.SendAsync($"DELETE {upload} HTTP/1.1\nTus-Resumable: 1.0.0\nHost: {client.Host}\nContent-Length: 0\nConnection: Close");
        Assert.Equal(204, deleted.Status);
        RawResponse head = await HeadAsync(client, upload);
        Assert.Equal(404, head.Status);
        Assert.Single(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Upload_continues_at_the_offset_after_a_damaged_chunk(string place)
    {
        await using TusApp app = await StartAsync(place);
        await using var client = new RawExchange(app.Address);
        string upload = await CreateAsync(client);
        Assert.Equal(204, (await PatchAsync(client, upload, 0, File[..5], File[..5])).Status);
        Assert.Equal(460, (await PatchAsync(client, upload, 5, File[5..10], File[6..11])).Status);
        await UploadAsync(client, upload, 5, File);
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Server_info_has_versions_extensions_size_and_checksums(string place)
    {
        await using TusApp app = await StartAsync(place);
        await using var client = new RawExchange(app.Address);
        RawResponse options = await client.SendAsync($"OPTIONS {TusApp.Url} HTTP/1.1\nTus-Resumable: 1.0.0\nHost: {client.Host}\nContent-Length: 0\nAccept-Encoding: gzip\nConnection: Close");
        Assert.Contains(options.Status, new[] { 200, 204 });
        Assert.Equal(("1.0.0", "1.0.0", "1000"), (options.Header("Tus-Resumable"), options.Header("Tus-Version"), options.Header("Tus-Max-Size")));
        Assert.Contains("sha1", options.Header("Tus-Checksum-Algorithm")!.Split(','));
        Assert.Superset(new HashSet<string> { "creation", "checksum", "termination" }, options.Header("Tus-Extension")!.Split(',').ToHashSet());
    }

    private static Task<TusApp> StartAsync(string place) =>
        TusApp.StartAsync(place, static options => options.MaxUploadSize = 1000, static _ => new HandlerResponse(200, "a body", "/videos/1"), onKestrel: true);

    private static async Task<string> CreateAsync(RawExchange client)
    {
        RawResponse created = await client.SendAsync(
            $"POST {TusApp.Url} HTTP/1.1\nTus-Resumable: 1.0.0\nUpload-Length: {File.Length}\nUpload-Metadata: filename {Convert.ToBase64String(Encoding.UTF8.GetBytes("caf\u00e9.txt"))}\n"
            + $"Host: {client.Host}\nContent-Length: 0\nAccept-Encoding: gzip\nConnection: Close");
        Assert.Equal(201, created.Status);
        return client.GetTarget(TusApp.Url, created.Header("Location")!);
    }

    /// <summary>Uploads the rest of the file in chunks, as the client does: until the offset in the responses is the length of the file.</summary>
    private static async Task UploadAsync(RawExchange client, string upload, long expectedOffset, byte[] file)
    {
        long offset = await GetOffsetAsync(client, upload);
        Assert.Equal(expectedOffset, offset);
        for (int i = 0; offset < file.Length && i < file.Length; i++)
        {
            byte[] chunk = file[(int)offset..(int)Math.Min(offset + ChunkSize, file.Length)];
            RawResponse patched = await PatchAsync(client, upload, offset, chunk, chunk);
            Assert.Equal((204, ""), (patched.Status, patched.Body));
            Assert.Equal(offset + chunk.Length, RawExchange.OffsetOf(patched));
            offset = RawExchange.OffsetOf(patched);
        }

        Assert.Equal(file.Length, offset);
    }

    private static async Task<long> GetOffsetAsync(RawExchange client, string upload)
    {
        RawResponse head = await HeadAsync(client, upload);
        Assert.Contains(head.Status, new[] { 200, 204 });
        return RawExchange.OffsetOf(head);
    }

    private static Task<RawResponse> HeadAsync(RawExchange client, string upload) =>
        client.SendAsync($"HEAD {upload} HTTP/1.1\nTus-Resumable: 1.0.0\nHost: {client.Host}\nContent-Length: 0\nAccept-Encoding: gzip\nConnection: Close");

    [SuppressMessage("Security", "CA5350", Justification = "The protocol demands it.")]
    private static Task<RawResponse> PatchAsync(RawExchange client, string upload, long offset, byte[] chunk, byte[] hashed) => client.SendAsync(
        $"PATCH {upload} HTTP/1.1\nTus-Resumable: 1.0.0\nUpload-Offset: {offset}\nUpload-Checksum: sha1 {Convert.ToBase64String(SHA1.HashData(hashed))}\n"
        + $"Content-Type: application/offset+octet-stream\nHost: {client.Host}\nContent-Length: {chunk.Length}\nAccept-Encoding: gzip\nConnection: Close",
        chunk);
}
