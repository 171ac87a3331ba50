using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Samples;

/// <summary>Tests of the ExistingApp sample, whose endpoints are made resumable with one line each.</summary>
[Collection(typeof(Alone))]
public class ExistingAppTests
{
    private const string Documents = "/documents";
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(300_000);

    [Theory]
    [InlineData("/videos", HttpStatusCode.Created)]
    [InlineData(Documents, HttpStatusCode.OK)]
    [InlineData("/import", HttpStatusCode.OK)]
    [InlineData("/import?what=wrong", HttpStatusCode.BadRequest)]
    public async Task Chunked_upload_returns_same_response_as_plain_request(string path, HttpStatusCode status)
    {
        await using ExistingApp app = await ExistingApp.StartAsync();
        SentBody body = path switch
        {
            "/videos" => SentBody.Video(),
            Documents => await (await app.VisitAsync()).FillInAsync(File),
            _ => SentBody.Import(quantity: status == HttpStatusCode.OK ? 3 : -3),
        };

        using HttpResponseMessage plain = await app.SendPlainAsync(path, body);
        using HttpResponseMessage chunked = await app.SendInChunksAsync(path, "f", body, 40_000);
        Assert.Equal(status, plain.StatusCode);
        Assert.Equal("true", chunked.Header("X-Upload-Complete"));
        await AssertSameAsync(plain, chunked);
        if (chunked.Headers.Location is { } location)
        {
            Assert.Equal(body.Bytes, await app.Client.GetByteArrayAsync(location));
        }

        using HttpResponseMessage again = await app.Client.AppendAsync("f", body.Bytes.Length, new ByteArrayContent([]), body.Bytes.Length, path);
        await AssertSameAsync(plain, again);
    }

    [Fact]
    public async Task Form_interrupted_by_server_crash_resumes_with_valid_antiforgery_token()
    {
        await using ExistingApp app = await ExistingApp.StartAsync();
        SentBody form = await (await app.VisitAsync()).FillInAsync(File);
        await using (RawConnection connection = await RawConnection.OpenAsync(app.Address))
        {
            await connection.SendHeadAsync("POST " + Documents,
            [
                "X-File-Id: minutes", "X-Start-Byte: 0", $"X-File-Size: {form.Bytes.Length}", $"Content-Length: {form.Bytes.Length}",
                $"Content-Type: {form.Type}", .. form.Headers.Select(static header => $"{header.Name}: {header.Value}"),
            ]);
            await connection.SendAsync(form.Bytes.AsMemory(0, 100_000));
            await app.Uploads.HasSingleAsync(100_000);
            await app.KillAsync();
        }

        await app.RestartAsync();
        Assert.Equal(100_000, await app.Client.StatusAsync("minutes", Documents));
        using HttpResponseMessage last = await app.SendInChunksAsync(Documents, "minutes", form, 150_000, offset: 100_000);
        Assert.Equal((HttpStatusCode.OK, "true"), (last.StatusCode, last.Header("X-Upload-Complete")));
        string digest = Assert.Single(app.Saved);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File)), digest);
        Assert.Contains(digest, await last.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Form_with_wrong_token_is_dead_lettered_and_succeeds_after_delete_and_resend()
    {
        await using ExistingApp app = await ExistingApp.StartAsync();
        Visitor visitor = await app.VisitAsync();
        SentBody wrong = await visitor.FillInAsync(File, token: (await app.VisitAsync()).Token);
        using (HttpResponseMessage plain = await app.SendPlainAsync(Documents, wrong))
        {
            Assert.Equal(HttpStatusCode.BadRequest, plain.StatusCode);
        }

        using (HttpResponseMessage rejected = await app.SendInChunksAsync(Documents, "f", wrong, 200_000))
        {
            Assert.Equal((HttpStatusCode.BadRequest, "false"), (rejected.StatusCode, rejected.Header("X-Upload-Complete")));
            Assert.Equal("urn:resumable-uploads:antiforgery", await TypeOfAsync(rejected));
        }

        using (HttpResponseMessage deadLettered = await app.Client.AppendAsync("f", wrong.Bytes.Length, new ByteArrayContent([]), null, Documents, wrong.Headers))
        {
            Assert.Equal("urn:resumable-uploads:parked", await TypeOfAsync(deadLettered));
        }

        Assert.Empty(app.Saved);
        using HttpResponseMessage deleted = await app.Client.DeleteUploadAsync("f", Documents);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(0, await app.Client.StatusAsync("f", Documents));
        using HttpResponseMessage accepted = await app.SendInChunksAsync(Documents, "f", await visitor.FillInAsync(File), 200_000);
        Assert.Equal((HttpStatusCode.OK, "true"), (accepted.StatusCode, accepted.Header("X-Upload-Complete")));
        Assert.Single(app.Saved);
    }

    [Fact]
    public async Task Wrong_token_in_header_is_rejected_with_first_chunk()
    {
        await using ExistingApp app = await ExistingApp.StartAsync();
        Visitor visitor = await app.VisitAsync();
        SentBody form = await visitor.FillInAsync(File);
        SentBody wrong = form with { Headers = [.. form.Headers, ("RequestVerificationToken", "wrong")] };

        using HttpResponseMessage rejected = await app.Client.AppendAsync(
            "f", 0, new ByteArrayContent(wrong.Bytes[..1000]), wrong.Bytes.Length, Documents, [("Content-Type", wrong.Type), .. wrong.Headers]);
        Assert.Equal(HttpStatusCode.BadRequest, rejected.StatusCode);
        Assert.Equal("urn:resumable-uploads:refused", await TypeOfAsync(rejected));
        Assert.Equal(0, await app.Client.StatusAsync("f", Documents));
    }

    private static async Task AssertSameAsync(HttpResponseMessage expected, HttpResponseMessage actual)
    {
        Assert.Equal(expected.StatusCode, actual.StatusCode);
        Assert.Equal(expected.Header("Content-Type"), actual.Header("Content-Type"));
        Assert.Equal(expected.Header("Location"), actual.Header("Location"));
        Assert.Equal(await expected.Content.ReadAsByteArrayAsync(), await actual.Content.ReadAsByteArrayAsync());
    }

    private static async Task<string?> TypeOfAsync(HttpResponseMessage problem) =>
        JsonDocument.Parse(await problem.Content.ReadAsStringAsync()).RootElement.GetProperty("type").GetString();
}
