using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

/// <summary>Whether a response has the body of the handler's response (docs/protocols/tus.md#the-body-of-the-response).</summary>
public class TusResponseBodyTests
{
    private const string Representation = "return=representation";
    private static readonly byte[] File = [1, 2, 3, 4, 5, 6];

    public static TheoryData<string> Places => TusApp.Places;

    /// <summary>The kind of upload path, the option, the preference of the client, and whether the response has the body.</summary>
    public static TheoryData<string, bool, string?, bool> Preferences
    {
        get
        {
            var all = new TheoryData<string, bool, string?, bool>();
            foreach (string place in new[] { TusApp.ReadyMade, TusApp.Mapped, TusApp.Endpoint })
            {
                all.Add(place, false, null, false);
                all.Add(place, false, Representation, true);
                all.Add(place, false, "return=minimal", false);
                all.Add(place, true, null, true);
                all.Add(place, true, Representation, true);
                all.Add(place, true, "return=minimal", false);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Preferences))]
    public async Task Last_append_has_the_body_if_client_or_app_asks_for_it(string place, bool option, string? preference, bool hasBody)
    {
        await using TusApp app = await StartAsync(place, option, static _ => new HandlerResponse(202, "thanks", "/things/7"));
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        for (int i = 0; i < 3; i++)
        {
            using HttpResponseMessage last = await app.Client.AppendChunkAsync(url, i == 0 ? 0 : File.Length, i == 0 ? File : [], Prefer(preference));
            Assert.Equal((hasBody ? 200 : 204, "6", hasBody ? "thanks" : ""), ((int)last.StatusCode, last.Header("Upload-Offset"), await last.Content.ReadAsStringAsync()));
            Assert.Equal((hasBody ? "text/plain" : null, hasBody && preference is not null ? Representation : null), (last.Header("Content-Type"), last.Header("Preference-Applied")));
            Assert.Equal(("1.0.0", null, i == 0 ? null : "true"), (last.Header("Tus-Resumable"), last.Header("Location"), last.Header("X-Upload-Replayed")));
            Assert.Equal(place == TusApp.Endpoint ? "/things/7" : null, last.Header("Content-Location"));
        }

        Assert.Single(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Preferences))]
    public async Task Creation_has_the_body_if_client_or_app_asks_for_it(string place, bool option, string? preference, bool hasBody)
    {
        await using TusApp app = await StartAsync(place, option, static _ => new HandlerResponse(200, "thanks", "/things/7"));
        foreach (byte[] file in new[] { File, [] })
        {
            using HttpResponseMessage created = await app.Client.TusAsync(
                "POST", TusApp.Url, file.Length == 0 ? null : file, [("Upload-Length", file.Length.ToString(CultureInfo.InvariantCulture)), .. Prefer(preference)]);
            Assert.Equal((201, hasBody ? "thanks" : ""), ((int)created.StatusCode, await created.Content.ReadAsStringAsync()));
            Assert.Equal(hasBody && preference is not null ? Representation : null, created.Header("Preference-Applied"));
            Assert.Equal(place == TusApp.Endpoint ? "/things/7" : null, created.Header("Content-Location"));
            Assert.Equal(file.Length, await app.Client.OffsetAsync(created.Header("Location")!));
        }
    }

    [Theory]
    [MemberData(nameof(Preferences))]
    public async Task Final_upload_has_the_body_if_client_or_app_asks_for_it(string place, bool option, string? preference, bool hasBody)
    {
        await using TusApp app = await StartAsync(place, option, static _ => new HandlerResponse(200, "joined"));
        using HttpResponseMessage part = await app.Client.TusAsync("POST", TusApp.Url, File, ("Upload-Concat", "partial"), ("Upload-Length", "6"));
        using HttpResponseMessage joined = await app.Client.TusAsync(
            "POST", TusApp.Url, null, [("Upload-Concat", $"final;{part.Header("Location")}"), .. Prefer(preference)]);
        Assert.Equal((201, "6", hasBody ? "joined" : ""), ((int)joined.StatusCode, joined.Header("Upload-Offset"), await joined.Content.ReadAsStringAsync()));
        Assert.Equal(hasBody && preference is not null ? Representation : null, joined.Header("Preference-Applied"));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Repeated_request_can_ask_for_the_body(string place)
    {
        await using TusApp app = await StartAsync(place, false, static _ => new HandlerResponse(200, "thanks"));
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 0, File).StatusOfAsync());
        using HttpResponseMessage again = await app.Client.AppendChunkAsync(url, 6, [], Prefer(Representation));
        Assert.Equal((200, "thanks", Representation), ((int)again.StatusCode, await again.Content.ReadAsStringAsync(), again.Header("Preference-Applied")));
    }

    [Theory]
    [InlineData(false, null)]
    [InlineData(false, Representation)]
    [InlineData(true, "return=minimal")]
    public async Task Error_of_the_handler_has_its_body_in_any_case(bool option, string? preference)
    {
        await using TusApp app = await StartAsync(TusApp.Endpoint, option, static call => new HandlerResponse(call == 1 ? 500 : 422, "no cats"));
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        foreach (int status in new[] { 500, 422, 422 })
        {
            using HttpResponseMessage failed = await app.Client.AppendChunkAsync(url, app.Seen.IsEmpty ? 0 : 6, app.Seen.IsEmpty ? File : [], Prefer(preference));
            Assert.Equal((status, "no cats", null), ((int)failed.StatusCode, await failed.Content.ReadAsStringAsync(), failed.Header("Preference-Applied")));
        }
    }

    [Fact]
    public async Task Handler_without_body_has_no_applied_preference()
    {
        await using TusApp app = await StartAsync(TusApp.Endpoint, true, static _ => new HandlerResponse(302, null, "/elsewhere"));
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        using HttpResponseMessage last = await app.Client.AppendChunkAsync(url, 0, File, Prefer(Representation));
        Assert.Equal((204, null, "/elsewhere"), ((int)last.StatusCode, last.Header("Preference-Applied"), last.Header("Content-Location")));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_000_000)]
    public async Task Headers_of_an_empty_or_large_body_are_not_sent_without_it(int length)
    {
        await using TestApp app = await StartEndpointAsync(async context =>
        {
            IHeaderDictionary headers = context.Response.Headers;
            (headers.ContentType, headers.ContentEncoding, headers.ETag) = ("text/html", "gzip", "\"7\"");
            await context.Response.Body.WriteAsync(new byte[length]);
        });
        string url = await app.Client.CreateAsync("/files", File.Length);
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage last = await app.Client.AppendChunkAsync(url, i == 0 ? 0 : 6, i == 0 ? File : []);
            Assert.Equal((204, null, null, "\"7\""), ((int)last.StatusCode, last.Header("Content-Type"), last.Header("Content-Encoding"), last.Header("ETag")));
        }
    }

    [Fact]
    public async Task Response_without_body_keeps_only_headers_that_do_not_describe_it()
    {
        await using TestApp app = await StartEndpointAsync(static async context =>
        {
            IHeaderDictionary headers = context.Response.Headers;
            (headers.ContentType, headers.ContentEncoding, headers.ContentLanguage, headers["X-Note"]) = ("text/html", "identity", "en", "hello");
            (headers.ETag, headers.Link, headers.SetCookie) = ("\"7\"", "</next>; rel=next", "seen=1");
            await context.Response.WriteAsync("<p>thanks</p>");
        });
        string url = await app.Client.CreateAsync("/files", File.Length);
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage last = await app.Client.AppendChunkAsync(url, i == 0 ? 0 : 6, i == 0 ? File : []);
            Assert.Equal((204, null, null, null), ((int)last.StatusCode, last.Header("Content-Type"), last.Header("Content-Encoding"), last.Header("Content-Language")));
            Assert.Equal(("\"7\"", "</next>; rel=next", "no-store"), (last.Header("ETag"), last.Header("Link"), last.Header("Cache-Control")));
            Assert.Equal(i == 0 ? ("seen=1", "hello") : (null, null), (last.Header("Set-Cookie"), last.Header("X-Note")));
        }

        using HttpResponseMessage whole = await app.Client.AppendChunkAsync(url, 6, [], Prefer(Representation));
        Assert.Equal((200, "text/html", "identity", "<p>thanks</p>"),
            ((int)whole.StatusCode, whole.Header("Content-Type"), whole.Header("Content-Encoding"), await whole.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Body_too_large_to_be_stored_is_sent_once()
    {
        string text = new('x', 200_000);
        await using TusApp app = await StartAsync(TusApp.Endpoint, false, _ => new HandlerResponse(200, text));
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        using HttpResponseMessage last = await app.Client.AppendChunkAsync(url, 0, File, Prefer(Representation));
        Assert.Equal((200, "6", text), ((int)last.StatusCode, last.Header("Upload-Offset"), await last.Content.ReadAsStringAsync()));
        Assert.Equal(Representation, last.Header("Preference-Applied"));
        using HttpResponseMessage again = await app.Client.AppendChunkAsync(url, 6, [], Prefer(Representation));
        Assert.Equal((204, null), ((int)again.StatusCode, again.Header("Preference-Applied")));
        using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, File, [("Upload-Length", "6"), .. Prefer(Representation)]);
        Assert.Equal((201, text), ((int)created.StatusCode, await created.Content.ReadAsStringAsync()));
        Assert.Equal(2, app.Seen.Count);
    }

    [Fact]
    public async Task Body_too_large_to_be_stored_is_discarded_without_preference()
    {
        await using TusApp app = await StartAsync(TusApp.Endpoint, false, static _ => new HandlerResponse(200, new string('x', 200_000)));
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        using HttpResponseMessage last = await app.Client.AppendChunkAsync(url, 0, File);
        Assert.Equal((204, "6", ""), ((int)last.StatusCode, last.Header("Upload-Offset"), await last.Content.ReadAsStringAsync()));
        using HttpResponseMessage created = await app.Client.TusAsync("POST", TusApp.Url, File, ("Upload-Length", "6"));
        Assert.Equal((201, "6", ""), ((int)created.StatusCode, created.Header("Upload-Offset"), await created.Content.ReadAsStringAsync()));
        Assert.Equal(2, app.Seen.Count);
    }

    /// <summary>Nothing was sent, so the client gets an error response instead of a broken connection.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Handler_that_fails_after_a_large_body_has_failed(bool isCreation)
    {
        int calls = 0;
        await using TestApp app = await StartEndpointAsync(async context =>
        {
            await context.Response.WriteAsync(new string('x', 200_000));
            if (Interlocked.Increment(ref calls) == 1)
            {
                throw new InvalidOperationException("not yet");
            }
        });
        string url = isCreation ? "/files" : await app.Client.CreateAsync("/files", File.Length);
        using HttpResponseMessage failed = isCreation
            ? await app.Client.TusAsync("POST", url, File, ("Upload-Length", "6"))
            : await app.Client.AppendChunkAsync(url, 0, File);
        Assert.Equal((503, "6", "application/problem+json"), ((int)failed.StatusCode, failed.Header("Upload-Offset"), failed.Header("Content-Type")));
        url = failed.Header("Location") ?? url;
        Assert.Equal(204, await app.Client.AppendChunkAsync(url, 6, []).StatusOfAsync());
        Assert.Equal(6, await app.Client.OffsetAsync(url));
        Assert.Equal(2, calls);
    }

    private static (string, string)[] Prefer(string? preference) => preference is null ? [] : [("Prefer", preference)];

    private static Task<TusApp> StartAsync(string place, bool option, Func<int, HandlerResponse?> answer) =>
        TusApp.StartAsync(place, options => options.Tus.SendResponseBody = option, answer, onKestrel: true);

    private static Task<TestApp> StartEndpointAsync(RequestDelegate handler) => EndpointApp.StartAsync(
        app => app.MapPost("/files", handler).WithResumableUploads(),
        static options => options.UseMemoryStore());
}
