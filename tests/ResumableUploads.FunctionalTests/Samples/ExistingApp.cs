using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Samples;

/// <summary>The ExistingApp sample in a separate process with a temporary directory. It can be killed and restarted.</summary>
public sealed partial class ExistingApp : IAsyncDisposable
{
    private ChildHost? _child;

    public UploadDirectory Uploads { get; } = new();

    public HttpClient Client => _child!.Client;

    public Uri Address => _child!.Address;

    /// <summary>Gets the digests of the files that the app has saved.</summary>
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

    /// <summary>Ends the process with SIGKILL.</summary>
    public async Task KillAsync()
    {
        _child!.Kill();
        await _child.DisposeAsync();
        _child = null;
    }

    /// <summary>Loads the page with the form, and returns its antiforgery token and cookie.</summary>
    public async Task<Visitor> VisitAsync()
    {
        using HttpResponseMessage page = await Client.GetAsync("/documents");
        string cookie = page.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        return new Visitor(cookie, Token().Match(await page.Content.ReadAsStringAsync()).Groups[1].Value);
    }

    /// <summary>Sends a body in chunks from the given offset, and returns the last response.</summary>
    public async Task<HttpResponseMessage> SendInChunksAsync(string path, string fileId, SentBody body, int chunkSize, int offset = 0)
    {
        for (int start = offset; ; start += chunkSize)
        {
            byte[] chunk = body.Bytes[start..Math.Min(start + chunkSize, body.Bytes.Length)];
            HttpResponseMessage response = await Client.AppendAsync(
                fileId, start, new ByteArrayContent(chunk), body.Bytes.Length, path, [("Content-Type", body.Type), .. body.Headers]);
            if (start + chunk.Length == body.Bytes.Length)
            {
                return response;
            }

            Assert.Equal((200, "false"), ((int)response.StatusCode, response.Header("X-Upload-Complete")));
            response.Dispose();
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

/// <summary>A visitor who has loaded the form.</summary>
public sealed record Visitor(string Cookie, string Token)
{
    /// <summary>Returns the body of the completed form.</summary>
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

/// <summary>A request body and its headers.</summary>
public sealed record SentBody(byte[] Bytes, string Type, params (string Name, string Value)[] Headers)
{
    public static SentBody Video() => new(RandomNumberGenerator.GetBytes(300_000), "video/mp4");

    public static SentBody Import(int quantity) => new(
        JsonSerializer.SerializeToUtf8Bytes(new { source = "shop", items = Enumerable.Range(0, 5_000).Select(i => new { name = $"cup {i}", quantity = i == 7 ? quantity : 1 }) }),
        "application/json; charset=utf-8");
}
