using System.Globalization;
using System.Security.Cryptography;
using ResumableUploads.FunctionalTests.Clients;
using ResumableUploads.FunctionalTests.Clients.Tus;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Proxies;

/// <summary>Interrupted and resumed uploads of every protocol through nginx with the documented configuration.</summary>
public class NginxTests(Nginx nginx) : IClassFixture<Nginx>
{
    private const int Size = 8_000_003;
    private const int Half = Size / 2;
    private readonly byte[] _file = RandomNumberGenerator.GetBytes(Size);

    [Fact]
    public async Task File_id_upload_resumes_after_interruption()
    {
        string name = $"file-id {Guid.NewGuid():N}.bin";
        string[] headers = [$"X-File-Id: {name.Replace(' ', '-')}", $"X-File-Name: {Uri.EscapeDataString(name)}", $"X-File-Size: {Size}"];
        await InterruptAsync("POST /upload", [.. headers, "X-Start-Byte: 0"], Size);

        using var client = new HttpClient { BaseAddress = await nginx.GetAddressAsync() };
        using var statusRequest = new HttpRequestMessage(HttpMethod.Get, "/status") { Headers = { { "X-File-Id", name.Replace(' ', '-') } } };
        using HttpResponseMessage status = await client.SendAsync(statusRequest);
        int offset = int.Parse(await status.Content.ReadAsStringAsync(), CultureInfo.InvariantCulture);
        Assert.InRange(offset, 1, Half);
        RawResponse last = await SendAsync("POST /upload", [.. headers, $"X-Start-Byte: {offset}"], _file.AsMemory(offset));
        Assert.Equal((200, "true"), (last.Status, last.Header("X-Upload-Complete")));
        await AssertArrivedAsync(name);
    }

    [Fact]
    public async Task Tus_upload_resumes_after_interruption()
    {
        string name = $"tus-{Guid.NewGuid():N}.bin";
        RawResponse created = await SendAsync(
            "POST /upload", ["Tus-Resumable: 1.0.0", $"Upload-Length: {Size}", $"Upload-Metadata: filename {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(name))}"], default);
        Assert.Equal(201, created.Status);
        string[] headers = ["Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream"];
        await InterruptAsync($"PATCH {created.Header("Location")}", [.. headers, "Upload-Offset: 0"], Size);

        int offset = await OffsetAsync(created.Header("Location")!, "Tus-Resumable: 1.0.0");
        RawResponse last = await SendAsync($"PATCH {created.Header("Location")}", [.. headers, $"Upload-Offset: {offset}"], _file.AsMemory(offset));
        Assert.Equal((204, $"{Size}"), (last.Status, last.Header("Upload-Offset")));
        await AssertArrivedAsync(name);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(10)]
    public async Task Ietf_upload_resumes_after_interruption_without_interim_responses(int version)
    {
        string name = $"ietf-{version}-{Guid.NewGuid():N}.bin";
        string versionHeader = $"Upload-Draft-Interop-Version: {version}";
        (string more, string last) = version == 3 ? ("Upload-Incomplete: ?1", "Upload-Incomplete: ?0") : ("Upload-Complete: ?0", "Upload-Complete: ?1");

        // An upload in one request would otherwise receive a 104 response first.
        string wholeName = "whole-" + name;
        RawResponse single = await SendAsync("POST /upload", [versionHeader, last, $"Content-Disposition: attachment; filename={wholeName}"], _file);
        Assert.Equal((201, $"{Size}"), (single.Status, single.Header("Upload-Offset")));
        await AssertArrivedAsync(wholeName);

        RawResponse created = await SendAsync("POST /upload", [versionHeader, more, $"Content-Disposition: attachment; filename={name}"], _file.AsMemory(0, 1000));
        Assert.Equal((201, "1000"), (created.Status, created.Header("Upload-Offset")));
        string url = created.Header("Location")!;
        string[] headers = [versionHeader, last, "Content-Type: application/partial-upload"];
        await InterruptAsync($"PATCH {url}", [.. headers, "Upload-Offset: 1000"], Size - 1000);

        int offset = await OffsetAsync(url, versionHeader);
        RawResponse rest = await SendAsync($"PATCH {url}", [.. headers, $"Upload-Offset: {offset}"], _file.AsMemory(offset));
        Assert.Equal((201, $"{Size}"), (rest.Status, rest.Header("Upload-Offset")));
        await AssertArrivedAsync(name);
    }

    [Theory]
    [InlineData("tus-js-client")]
    [InlineData("tus-js-client-next:ietf-draft-03")]
    [InlineData("tus-js-client-next:ietf-draft-05")]
    public async Task Tus_js_client_stopped_ten_times_completes_upload(string client)
    {
        using var file = new SourceFile($"{client.Replace(':', ' ')} through nginx.bin", 40_000_000);
        await using NodeClient sender = await NodeClient.StartAsync(client, "stopped", await nginx.GetAddressAsync(), RandomNumberGenerator.GetInt32(int.MaxValue), file);
        await sender.EndAsync();
        Assert.Equal(sender.Corrections, sender.Responses.Count(static response => response[^3] != '2'));
        string path = Assert.Single(nginx.Host.Arrived, path => Path.GetFileName(path) == file.Name);
        Assert.Equal(file.Hash, await SourceFile.HashOfAsync(path));
    }

    /// <summary>Sends the first half of the file, and resets the connection after the server has stored a part of it.</summary>
    private async Task InterruptAsync(string methodAndPath, string[] headers, int length)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(await nginx.GetAddressAsync());
        await connection.SendHeadAsync(methodAndPath, [.. headers, $"Content-Length: {length}"]);
        int start = Size - length;
        await connection.SendAsync(_file.AsMemory(start, Half - start));
        await Eventually.TrueAsync(() => BytesOnDisk() > start, "a part was stored");
        connection.Reset();
    }

    private async Task<int> OffsetAsync(string url, string header)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(await nginx.GetAddressAsync());
        await connection.SendHeadAsync($"HEAD {url}", header);
        RawResponse head = (await connection.ReadResponseAsync(toHead: true))!;
        int offset = int.Parse(head.Header("Upload-Offset")!, CultureInfo.InvariantCulture);
        Assert.InRange(offset, 1, Half);
        return offset;
    }

    private async Task<RawResponse> SendAsync(string methodAndPath, string[] headers, ReadOnlyMemory<byte> body)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(await nginx.GetAddressAsync());
        await connection.SendHeadAsync(methodAndPath, [.. headers, $"Content-Length: {body.Length}"]);
        await connection.SendAsync(body);
        return (await connection.ReadResponseAsync())!;
    }

    private long BytesOnDisk() =>
        Directory.GetFiles(nginx.Host.Directory, "*.data", SearchOption.AllDirectories).Select(LengthOf).DefaultIfEmpty().Max();

    /// <summary>
    /// Returns the length of a file, or 0 if it does not exist. The data file is moved into its directory on creation, and away on completion.
    /// </summary>
    private static long LengthOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    private async Task AssertArrivedAsync(string name)
    {
        string path = Assert.Single(nginx.Host.Arrived, path => Path.GetFileName(path) == name);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(_file)), await SourceFile.HashOfAsync(path));
    }
}
