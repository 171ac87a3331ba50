using System.Text;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>
/// The requests of BirdMessenger, byte for byte. It uses <c>HttpClient</c>, omits <c>Tus-Resumable</c> in OPTIONS and requires it in every response. Its
/// first versions accept only 204 for PATCH and DELETE.
/// </summary>
public sealed class BirdMessengerTests
{
    private const int BufferSize = 5;
    private static readonly byte[] File = Encoding.ASCII.GetBytes("hello, world");

    public static TheoryData<string> Places => TusApp.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Options_without_version_have_the_version_in_the_response(string place)
    {
        await using TusApp app = await StartAsync(place);
        await using var client = new RawExchange(app.Address);
        RawResponse options = await client.SendAsync($"OPTIONS {TusApp.Url} HTTP/1.1\nHost: {client.Host}");
        Assert.Contains(options.Status, new[] { 200, 204 });
        Assert.Equal(("1.0.0", "1.0.0", "1000"), (options.Header("Tus-Resumable"), options.Header("Tus-Version"), options.Header("Tus-Max-Size")));
        Assert.Contains("creation", options.Header("Tus-Extension")!.Split(','));
    }

    /// <summary>In chunks, or as one stream from the offset on.</summary>
    [Theory]
    [InlineData(TusApp.ReadyMade, BufferSize)]
    [InlineData(TusApp.ReadyMade, 100)]
    [InlineData(TusApp.Mapped, BufferSize)]
    [InlineData(TusApp.Endpoint, BufferSize)]
    [InlineData(TusApp.Endpoint, 100)]
    public async Task File_is_uploaded_and_deleted(string place, int bufferSize)
    {
        await using TusApp app = await StartAsync(place);
        await using var client = new RawExchange(app.Address);
        string upload = await CreateAsync(client, $"Upload-Length: {File.Length}", $"Upload-Metadata: filename {Base64("a.txt")},type {Base64("text/plain")}");
        await UploadAsync(client, upload, File, bufferSize);
        ReceivedFile received = Assert.Single(app.Seen);
        Assert.Equal(("hello, world", "a.txt", "text/plain"), (Encoding.ASCII.GetString(received.Content), received.FileName, received.ContentType));
        RawResponse deleted = await client.SendAsync($"DELETE {upload} HTTP/1.1\nHost: {client.Host}\nTus-Resumable: 1.0.0");
        Assert.Equal((204, "1.0.0"), (deleted.Status, deleted.Header("Tus-Resumable")));
        Assert.Equal(404, (await client.SendAsync($"HEAD {upload} HTTP/1.1\nHost: {client.Host}\nTus-Resumable: 1.0.0")).Status);
    }

    /// <summary>The client asks for the length once, and then repeats it with every chunk.</summary>
    [Theory]
    [MemberData(nameof(Places))]
    public async Task Deferred_length_is_sent_with_every_chunk(string place)
    {
        await using TusApp app = await StartAsync(place);
        await using var client = new RawExchange(app.Address);
        string upload = await CreateAsync(client, "Upload-Defer-Length: 1");
        await UploadAsync(client, upload, File, BufferSize);
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Partial_uploads_with_absolute_urls_are_concatenated(string place)
    {
        await using TusApp app = await StartAsync(place);
        await using var client = new RawExchange(app.Address);
        string[] parts = new string[2];
        for (int i = 0; i < 2; i++)
        {
            byte[] content = i == 0 ? File[..5] : File[5..];
            string part = await CreateAsync(client, $"Upload-Length: {content.Length}", "Upload-Concat: partial");
            await UploadAsync(client, part, content, BufferSize);
            parts[i] = new Uri(app.Address, part).ToString();
        }

        string final = await CreateAsync(client, $"Upload-Concat: final;{string.Join(' ', parts)}");
        RawResponse head = await client.SendAsync($"HEAD {final} HTTP/1.1\nHost: {client.Host}\nTus-Resumable: 1.0.0");
        Assert.Equal((200, "12", "12"), (head.Status, head.Header("Upload-Offset"), head.Header("Upload-Length")));
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    private static Task<TusApp> StartAsync(string place) =>
        TusApp.StartAsync(place, static options => options.MaxUploadSize = 1000, static _ => new HandlerResponse(200, "a body", "/videos/1"), onKestrel: true);

    private static async Task<string> CreateAsync(RawExchange client, params string[] headers)
    {
        RawResponse created = await client.SendAsync($"POST {TusApp.Url} HTTP/1.1\nHost: {client.Host}\nTus-Resumable: 1.0.0\n{string.Join('\n', headers)}\nContent-Length: 0");
        Assert.Equal((201, "1.0.0"), (created.Status, created.Header("Tus-Resumable")));
        return client.GetTarget(TusApp.Url, created.Header("Location")!);
    }

    private static async Task UploadAsync(RawExchange client, string upload, byte[] file, int bufferSize)
    {
        RawResponse head = await client.SendAsync($"HEAD {upload} HTTP/1.1\nHost: {client.Host}\nTus-Resumable: 1.0.0");
        Assert.Equal((200, "1.0.0"), (head.Status, head.Header("Tus-Resumable")));
        string length = head.Header("Upload-Length") is null ? $"Upload-Length: {file.Length}\n" : "";
        long offset = RawExchange.OffsetOf(head);
        for (int i = 0; offset < file.Length && i < file.Length; i++)
        {
            byte[] chunk = file[(int)offset..(int)Math.Min(offset + bufferSize, file.Length)];
            RawResponse patched = await client.SendAsync(
                $"PATCH {upload} HTTP/1.1\nHost: {client.Host}\nTus-Resumable: 1.0.0\n{length}Upload-Offset: {offset}\nContent-Type: application/offset+octet-stream\nContent-Length: {chunk.Length}",
                chunk);
            Assert.Equal((204, "1.0.0", ""), (patched.Status, patched.Header("Tus-Resumable"), patched.Body));
            Assert.Equal(offset + chunk.Length, RawExchange.OffsetOf(patched));
            offset = RawExchange.OffsetOf(patched);
        }

        Assert.Equal(file.Length, offset);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
