using System.Globalization;
using System.Security.Cryptography;
using ResumableUploads.FunctionalTests.Clients;
using ResumableUploads.FunctionalTests.Clients.Tus;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Proxies;

/// <summary>Uploads through nginx as the documentation has it, in every protocol, cut and resumed.</summary>
public class NginxTests(Nginx nginx) : IClassFixture<Nginx>
{
    private const int Size = 8_000_003;
    private const int Half = Size / 2;
    private readonly byte[] _file = RandomNumberGenerator.GetBytes(Size);

    [Fact]
    public async Task An_upload_with_a_file_id_goes_on_after_a_cut()
    {
        string name = $"file-id {Guid.NewGuid():N}.bin";
        string[] headers = [$"X-File-Id: {name.Replace(' ', '-')}", $"X-File-Name: {Uri.EscapeDataString(name)}", $"X-File-Size: {Size}"];
        await CutAsync("POST /upload", [.. headers, "X-Start-Byte: 0"], Size);

        using var client = new HttpClient { BaseAddress = nginx.Address };
        using var question = new HttpRequestMessage(HttpMethod.Get, "/status") { Headers = { { "X-File-Id", name.Replace(' ', '-') } } };
        using HttpResponseMessage status = await client.SendAsync(question);
        int offset = int.Parse(await status.Content.ReadAsStringAsync(), CultureInfo.InvariantCulture);
        Assert.InRange(offset, 1, Half);
        RawResponse last = await SendAsync("POST /upload", [.. headers, $"X-Start-Byte: {offset}"], _file.AsMemory(offset));
        Assert.Equal((200, "true"), (last.Status, last.Header("X-Upload-Complete")));
        await AssertArrivedAsync(name);
    }

    [Fact]
    public async Task An_upload_of_tus_goes_on_after_a_cut()
    {
        string name = $"tus-{Guid.NewGuid():N}.bin";
        RawResponse created = await SendAsync(
            "POST /upload", ["Tus-Resumable: 1.0.0", $"Upload-Length: {Size}", $"Upload-Metadata: filename {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(name))}"], default);
        Assert.Equal(201, created.Status);
        string[] headers = ["Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream"];
        await CutAsync($"PATCH {created.Header("Location")}", [.. headers, "Upload-Offset: 0"], Size);

        int offset = await OffsetAsync(created.Header("Location")!, "Tus-Resumable: 1.0.0");
        RawResponse last = await SendAsync($"PATCH {created.Header("Location")}", [.. headers, $"Upload-Offset: {offset}"], _file.AsMemory(offset));
        Assert.Equal((204, $"{Size}"), (last.Status, last.Header("Upload-Offset")));
        await AssertArrivedAsync(name);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(10)]
    public async Task An_upload_of_the_draft_goes_on_after_a_cut_and_nothing_comes_before_an_answer(int version)
    {
        string name = $"ietf-{version}-{Guid.NewGuid():N}.bin";
        string dialect = $"Upload-Draft-Interop-Version: {version}";
        (string more, string last) = version == 3 ? ("Upload-Incomplete: ?1", "Upload-Incomplete: ?0") : ("Upload-Complete: ?0", "Upload-Complete: ?1");

        // The whole in one request, with which a 104 would come first.
        string whole = "whole-" + name;
        RawResponse single = await SendAsync("POST /upload", [dialect, last, $"Content-Disposition: attachment; filename={whole}"], _file);
        Assert.Equal((201, $"{Size}"), (single.Status, single.Header("Upload-Offset")));
        await AssertArrivedAsync(whole);

        RawResponse created = await SendAsync("POST /upload", [dialect, more, $"Content-Disposition: attachment; filename={name}"], _file.AsMemory(0, 1000));
        Assert.Equal((201, "1000"), (created.Status, created.Header("Upload-Offset")));
        string url = created.Header("Location")!;
        string[] headers = [dialect, last, "Content-Type: application/partial-upload"];
        await CutAsync($"PATCH {url}", [.. headers, "Upload-Offset: 1000"], Size - 1000);

        int offset = await OffsetAsync(url, dialect);
        RawResponse rest = await SendAsync($"PATCH {url}", [.. headers, $"Upload-Offset: {offset}"], _file.AsMemory(offset));
        Assert.Equal((201, $"{Size}"), (rest.Status, rest.Header("Upload-Offset")));
        await AssertArrivedAsync(name);
    }

    [Theory]
    [InlineData("tus-js-client")]
    [InlineData("tus-js-client-next:ietf-draft-03")]
    [InlineData("tus-js-client-next:ietf-draft-05")]
    public async Task A_public_client_that_is_stopped_ten_times_comes_through(string client)
    {
        using var file = new SourceFile($"{client.Replace(':', ' ')} through nginx.bin", 40_000_000);
        await using NodeClient sender = await NodeClient.StartAsync(client, "stopped", nginx.Address, RandomNumberGenerator.GetInt32(int.MaxValue), file);
        await sender.EndAsync();
        Assert.InRange(sender.Corrections, 0, 10);
        Assert.Equal(sender.Corrections, sender.Responses.Count(static response => response[^3] != '2'));
        string path = Assert.Single(nginx.Host.Arrived, path => Path.GetFileName(path) == file.Name);
        Assert.Equal(file.Hash, await SourceFile.HashOfAsync(path));
    }

    /// <summary>Sends a half of the body, and tears the connection down when some of it is on the server's disk.</summary>
    private async Task CutAsync(string methodAndPath, string[] headers, int length)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(nginx.Address);
        await connection.SendHeadAsync(methodAndPath, [.. headers, $"Content-Length: {length}"]);
        int begin = Size - length;
        await connection.SendAsync(_file.AsMemory(begin, Half - begin));
        await Eventually.TrueAsync(() => BytesOnDisk() > begin, "a part is stored");
        connection.Reset();
    }

    private async Task<int> OffsetAsync(string url, string header)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(nginx.Address);
        await connection.SendHeadAsync($"HEAD {url}", header);
        RawResponse head = (await connection.ReadResponseAsync(toHead: true))!;
        int offset = int.Parse(head.Header("Upload-Offset")!, CultureInfo.InvariantCulture);
        Assert.InRange(offset, 1, Half);
        return offset;
    }

    private async Task<RawResponse> SendAsync(string methodAndPath, string[] headers, ReadOnlyMemory<byte> body)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(nginx.Address);
        await connection.SendHeadAsync(methodAndPath, [.. headers, $"Content-Length: {body.Length}"]);
        await connection.SendAsync(body);
        return (await connection.ReadResponseAsync())!;
    }

    private long BytesOnDisk() =>
        Directory.GetFiles(nginx.Host.Directory, "*.data", SearchOption.AllDirectories).Select(LengthOf).DefaultIfEmpty().Max();

    /// <summary>The length of a file, or 0: an upload gets its place when it is made, and leaves it when it is finished.</summary>
    private static long LengthOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    private async Task AssertArrivedAsync(string name)
    {
        string path = Assert.Single(nginx.Host.Arrived, path => Path.GetFileName(path) == name);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(_file)), await SourceFile.HashOfAsync(path));
    }
}
