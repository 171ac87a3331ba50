using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Samples;

/// <summary>The sample of an app whose endpoints became resumable with one line each.</summary>
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
    public async Task An_endpoint_answers_to_pieces_as_it_does_to_the_plain_request(string path, HttpStatusCode status)
    {
        await using ExistingApp app = await ExistingApp.StartAsync();
        SentBody body = path switch
        {
            "/videos" => SentBody.Video(),
            Documents => await (await app.VisitAsync()).FillInAsync(File),
            _ => SentBody.Import(quantity: status == HttpStatusCode.OK ? 3 : -3),
        };

        using HttpResponseMessage plain = await app.SendPlainAsync(path, body);
        using HttpResponseMessage pieces = await app.SendInPiecesAsync(path, "f", body, 40_000);
        Assert.Equal(status, plain.StatusCode);
        Assert.Equal("true", pieces.Header("X-Upload-Complete"));
        await AssertSameAsync(plain, pieces);
        if (pieces.Headers.Location is { } location)
        {
            Assert.Equal(body.Bytes, await app.Client.GetByteArrayAsync(location));
        }

        using HttpResponseMessage again = await app.Client.AppendAsync("f", body.Bytes.Length, new ByteArrayContent([]), body.Bytes.Length, path);
        await AssertSameAsync(plain, again);
    }

    [Fact]
    public async Task A_form_that_is_cut_off_by_the_death_of_the_server_goes_on_with_the_next_one_and_its_token_is_right()
    {
        await using ExistingApp app = await ExistingApp.StartAsync();
        SentBody form = await (await app.VisitAsync()).FillInAsync(File);
        await using (RawConnection cut = await RawConnection.OpenAsync(app.Address))
        {
            await cut.SendHeadAsync("POST " + Documents,
            [
                "X-File-Id: minutes", "X-Start-Byte: 0", $"X-File-Size: {form.Bytes.Length}", $"Content-Length: {form.Bytes.Length}",
                $"Content-Type: {form.Type}", .. form.Headers.Select(static header => $"{header.Name}: {header.Value}"),
            ]);
            await cut.SendAsync(form.Bytes.AsMemory(0, 100_000));
            await app.Uploads.HasAsync("minutes", 100_000, Documents);
            await app.KillAsync();
        }

        await app.RestartAsync();
        Assert.Equal(100_000, await app.Client.StatusAsync("minutes", Documents));
        using HttpResponseMessage last = await app.SendInPiecesAsync(Documents, "minutes", form, 150_000, from: 100_000);
        Assert.Equal((HttpStatusCode.OK, "true"), (last.StatusCode, last.Header("X-Upload-Complete")));
        string digest = Assert.Single(app.Saved);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File)), digest);
        Assert.Contains(digest, await last.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_with_a_wrong_token_is_parked_and_goes_through_when_it_is_sent_again_with_a_right_one()
    {
        await using ExistingApp app = await ExistingApp.StartAsync();
        Visitor visitor = await app.VisitAsync();
        SentBody wrong = await visitor.FillInAsync(File, token: (await app.VisitAsync()).Token);
        using (HttpResponseMessage plain = await app.SendPlainAsync(Documents, wrong))
        {
            Assert.Equal(HttpStatusCode.BadRequest, plain.StatusCode);
        }

        using (HttpResponseMessage refused = await app.SendInPiecesAsync(Documents, "f", wrong, 200_000))
        {
            Assert.Equal((HttpStatusCode.BadRequest, "false"), (refused.StatusCode, refused.Header("X-Upload-Complete")));
            Assert.Equal("urn:resumable-uploads:antiforgery", await TypeOfAsync(refused));
        }

        using (HttpResponseMessage parked = await app.Client.AppendAsync("f", wrong.Bytes.Length, new ByteArrayContent([]), null, Documents, wrong.Headers))
        {
            Assert.Equal("urn:resumable-uploads:parked", await TypeOfAsync(parked));
        }

        Assert.Empty(app.Saved);
        using HttpResponseMessage deleted = await app.Client.DeleteUploadAsync("f", Documents);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(0, await app.Client.StatusAsync("f", Documents));
        using HttpResponseMessage taken = await app.SendInPiecesAsync(Documents, "f", await visitor.FillInAsync(File), 200_000);
        Assert.Equal((HttpStatusCode.OK, "true"), (taken.StatusCode, taken.Header("X-Upload-Complete")));
        Assert.Single(app.Saved);
    }

    [Fact]
    public async Task A_wrong_token_in_a_header_is_refused_with_the_first_piece()
    {
        await using ExistingApp app = await ExistingApp.StartAsync();
        Visitor visitor = await app.VisitAsync();
        SentBody form = await visitor.FillInAsync(File);
        SentBody wrong = form with { Headers = [.. form.Headers, ("RequestVerificationToken", "wrong")] };

        using HttpResponseMessage refused = await app.Client.AppendAsync(
            "f", 0, new ByteArrayContent(wrong.Bytes[..1000]), wrong.Bytes.Length, Documents, [("Content-Type", wrong.Type), .. wrong.Headers]);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal("urn:resumable-uploads:refused", await TypeOfAsync(refused));
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
