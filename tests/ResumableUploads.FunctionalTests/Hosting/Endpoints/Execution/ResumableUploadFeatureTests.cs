using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Hosting.Events;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>IResumableUploadFeature, which describes the upload to its endpoint.</summary>
public class ResumableUploadFeatureTests
{
    private const string Path = "/e";

    [Fact]
    public async Task Feature_has_names_size_digest_and_first_attempt()
    {
        byte[] content = RandomNumberGenerator.GetBytes(1000);
        string digest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(content))}:";
        IResumableUploadFeature? feature = null;
        await using TestApp app = await EndpointApp.StartAsync(app => app.MapPost(Path, (HttpContext context) =>
        {
            feature = context.Features.Get<IResumableUploadFeature>();
            return "done";
        }).WithResumableUploads());
        using HttpResponseMessage response = await app.Client.AppendAsync(
            "f", 0, new ByteArrayContent(content), null, Path, ("X-File-Name", "..%2Fcaf%C3%A9.txt"), ("Repr-Digest", digest));
        Assert.Equal("done", await response.Content.ReadAsStringAsync());
        Assert.NotNull(feature);
        Assert.Equal(("../café.txt", 1000, digest, 1, false), (feature.RawFileName, feature.Size, feature.Digest, feature.Attempt, feature.IsRepeat));
        Assert.Equal(FileNameSanitizer.Sanitize("../café.txt"), feature.FileName);
        Assert.Matches("^[0-9a-f]{64}$", feature.Key.Id);
    }

    [Fact]
    public async Task Plain_request_has_no_feature()
    {
        await using TestApp app = await EndpointApp.StartAsync(app =>
            app.MapPost(Path, (HttpContext context) => context.Features.Get<IResumableUploadFeature>() is null).WithResumableUploads());
        using HttpResponseMessage response = await app.Client.PostAsync(Path, new StringContent("x"));
        Assert.Equal("true", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Content_can_be_moved_and_read_before_and_after()
    {
        byte[] content = RandomNumberGenerator.GetBytes(50_000);
        await using TestApp app = await EndpointApp.StartAsync(app => app.MapPost(Path, async (HttpContext context) =>
        {
            byte[] start = new byte[100];
            await context.Request.Body.ReadExactlyAsync(start);
            Assert.Equal(content[..100], start);
            string path = await context.Features.Get<IResumableUploadFeature>()!.MoveToDirectoryAsync(System.IO.Path.Combine(app.Environment.ContentRootPath, "inbox"));
            using var rest = new MemoryStream();
            await context.Request.Body.CopyToAsync(rest);
            Assert.Equal(content[100..], rest.ToArray());
            return System.IO.Path.GetFileName(path);
        }).WithResumableUploads());
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new ByteArrayContent(content), null, Path, ("X-File-Name", "a.bin"));
        Assert.Equal("a.bin", await response.Content.ReadAsStringAsync());
        Assert.Equal(content, await File.ReadAllBytesAsync(System.IO.Path.Combine(app.Directory, "inbox", "a.bin")));
    }

    [Fact]
    public async Task Repeated_run_after_move_finds_file_and_no_empty_body()
    {
        var seen = new List<string>();
        await using TestApp app = await EndpointApp.StartAsync(app => app.MapPost(Path, async (HttpContext context) =>
        {
            IResumableUploadFeature upload = context.Features.Get<IResumableUploadFeature>()!;
            string path = await upload.MoveToDirectoryAsync(System.IO.Path.Combine(app.Environment.ContentRootPath, "inbox"));
            string body = upload.IsRepeat
                ? (await Assert.ThrowsAsync<InvalidOperationException>(() => context.Request.Body.ReadAsync(new byte[1]).AsTask())).Message
                : "there";
            seen.Add($"{upload.Attempt} {upload.IsRepeat} {System.IO.Path.GetFileName(path)} {body[..5]}");
            return upload.IsRepeat ? Results.Text("done") : Results.StatusCode(503);
        }).WithResumableUploads());
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new ByteArrayContent([1, 2, 3]), null, Path, ("X-File-Name", "a.bin"));
        Assert.Equal(503, (int)first.StatusCode);
        using HttpResponseMessage again = await app.Client.AppendAsync("f", 3, new ByteArrayContent([]), null, Path);
        Assert.Equal("done", await again.Content.ReadAsStringAsync());
        Assert.Equal(["1 False a.bin there", "2 True a.bin An ea"], seen);
        Assert.Single(Directory.GetFiles(System.IO.Path.Combine(app.Directory, "inbox")));
    }
}
