using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Samples;

/// <summary>The sample of an app that has been there before the package, with a directory that goes with it. It can be killed, and started again.</summary>
public sealed partial class ExistingApp : IAsyncDisposable
{
    private ChildHost? _child;

    public UploadDirectory Uploads { get; } = new();

    public HttpClient Client => _child!.Client;

    public Uri Address => _child!.Address;

    /// <summary>The digests of what the app has saved.</summary>
    public IReadOnlyList<string> Saved => Directory.Exists(SavedDirectory) ? [.. Directory.GetFiles(SavedDirectory).Select(static file => Path.GetFileName(file))] : [];

    private string SavedDirectory => Path.Combine(Path.GetDirectoryName(Uploads.Root)!, "saved");

    public static async Task<ExistingApp> StartAsync(params string[] options)
    {
        var app = new ExistingApp();
        await app.RestartAsync(options);
        return app;
    }

    public async Task RestartAsync(params string[] options) =>
        _child = await ChildHost.StartSampleAsync("ExistingApp", Uploads.Root, [$"Saved={SavedDirectory}", .. options]);

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _child!.Kill();
        await _child.DisposeAsync();
        _child = null;
    }

    /// <summary>Looks at the page with the form, as a visitor does: the token in it, and the cookie that comes with it.</summary>
    public async Task<Visitor> VisitAsync()
    {
        using HttpResponseMessage page = await Client.GetAsync("/documents");
        string cookie = page.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        return new Visitor(cookie, Token().Match(await page.Content.ReadAsStringAsync()).Groups[1].Value);
    }

    /// <summary>Sends a body in pieces, the first of it from a byte on, and gives the answer to the last.</summary>
    public async Task<HttpResponseMessage> SendInPiecesAsync(string path, string fileId, SentBody body, int pieceSize, int from = 0)
    {
        for (int at = from; ; at += pieceSize)
        {
            byte[] piece = body.Bytes[at..Math.Min(at + pieceSize, body.Bytes.Length)];
            HttpResponseMessage answer = await Client.AppendAsync(
                fileId, at, new ByteArrayContent(piece), body.Bytes.Length, path, [("Content-Type", body.Type), .. body.Headers]);
            if (at + piece.Length == body.Bytes.Length)
            {
                return answer;
            }

            Assert.Equal((200, "false"), ((int)answer.StatusCode, answer.Header("X-Upload-Complete")));
            answer.Dispose();
        }
    }

    public async Task<HttpResponseMessage> SendPlainAsync(string path, SentBody body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body.Bytes) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", body.Type);
        foreach ((string name, string value) in body.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Client.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        if (_child is not null)
        {
            await _child.DisposeAsync();
        }

        Uploads.Dispose();
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" type=\"hidden\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}

/// <summary>Who has looked at the form.</summary>
public sealed record Visitor(string Cookie, string Token)
{
    /// <summary>The form, filled in.</summary>
    public async Task<SentBody> FillInAsync(byte[] file, string? token = null)
    {
        using var form = new MultipartFormDataContent("a-boundary-between-parts")
        {
            { new StringContent(token ?? Token), "__RequestVerificationToken" },
            { new StringContent("Minutes of May"), "title" },
            { new ByteArrayContent(file), "file", "minutes.pdf" },
        };
        return new SentBody(await form.ReadAsByteArrayAsync(), form.Headers.ContentType!.ToString(), [("Cookie", Cookie)]);
    }
}

/// <summary>The body of a request, and the headers that go with it.</summary>
public sealed record SentBody(byte[] Bytes, string Type, params (string Name, string Value)[] Headers)
{
    public static SentBody Video() => new(RandomNumberGenerator.GetBytes(300_000), "video/mp4");

    public static SentBody Import(int quantity) => new(
        JsonSerializer.SerializeToUtf8Bytes(new { source = "shop", items = Enumerable.Range(0, 5_000).Select(i => new { name = $"cup {i}", quantity = i == 7 ? quantity : 1 }) }),
        "application/json; charset=utf-8");
}
