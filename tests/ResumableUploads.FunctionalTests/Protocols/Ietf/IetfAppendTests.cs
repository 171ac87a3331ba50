using System.Text;
using System.Text.Json;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>Upload append and the final response (draft-ietf-httpbis-resumable-upload-12, section 4.4).</summary>
public class IetfAppendTests
{
    private static readonly byte[] File = Encoding.ASCII.GetBytes("0123456789");

    public static TheoryData<string, string> Everywhere => IetfApp.Everywhere;

    public static TheoryData<int> Versions => IetfClient.Versions;

    [Theory]
    [InlineData("application/partial-upload", true)]
    [InlineData("Application/Partial-Upload; charset=x", true)]
    [InlineData("application/offset+octet-stream", false)]
    [InlineData("application/partial-uploads", false)]
    [InlineData("text/plain", false)]
    [InlineData(null, false)]
    public async Task Append_requires_its_media_type_from_version_6_on(string? type, bool isValid)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        foreach (int version in IetfClient.Versions.Select(static row => row.Data))
        {
            string url = await app.Client.BeginAsync(version);
            var content = new ByteArrayContent(File);
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            using HttpResponseMessage response = await app.Client.IetfAsync("PATCH", url, version, content, ("Upload-Offset", "0"), Completeness(version, false));
            if (isValid || version < 6)
            {
                Assert.Equal((version, version <= 6 ? 201 : 204), (version, (int)response.StatusCode));
                continue;
            }

            await response.ProblemAsync(415, Own + "content-type");
            Assert.Equal("application/partial-upload", response.Header("Accept-Patch"));
            Assert.Equal((0, false), await app.Client.StateAsync(url));
        }
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Append_with_wrong_offset_returns_409_with_current_offset(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File[..4]);
        string url = created.Header("Location")!;
        foreach (long offset in new[] { 0L, 3, 5, 999_999_999_999_999 })
        {
            foreach (bool isLast in new[] { true, false })
            {
                using HttpResponseMessage response = await app.Client.AppendAsync(url, offset, isLast, File[4..]);
                Assert.Equal((409, "4", "?0"), response.State());
                JsonElement problem = await response.ProblemAsync(409, Registered + "mismatching-upload-offset");
                Assert.Equal("Mismatching Upload Offset", problem.GetProperty("title").GetString());
                Assert.Equal((4, offset), (problem.GetProperty("expected-offset").GetInt64(), problem.GetProperty("provided-offset").GetInt64()));
            }
        }

        Assert.Equal((4, false), await app.Client.StateAsync(url));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("?1")]
    [InlineData("4.0")]
    [InlineData("\"4\"")]
    [InlineData("4, 4")]
    [InlineData("1000000000000000")]
    public async Task Append_without_valid_offset_returns_400(string? offset)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        string url = await app.Client.BeginAsync();
        var content = new ByteArrayContent(File);
        content.Headers.TryAddWithoutValidation("Content-Type", "application/partial-upload");
        (string, string)[] headers = offset is null ? [Completeness(Newest, false)] : [Completeness(Newest, false), ("Upload-Offset", offset)];
        using HttpResponseMessage response = await app.Client.IetfAsync("PATCH", url, Newest, content, headers);
        await response.ProblemAsync(400, Own + "bad-upload-offset");
        Assert.Equal((0, false), await app.Client.StateAsync(url));
    }

    [Theory]
    [InlineData("0;a=b", "?0;last=?1")]
    [InlineData("  0  ", "?0 ; x")]
    [InlineData("00", "?0")]
    [InlineData("-0", "?0")]
    public async Task Parameters_of_structured_fields_are_ignored(string offset, string complete)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        string url = await app.Client.BeginAsync();
        var content = new ByteArrayContent(File);
        content.Headers.TryAddWithoutValidation("Content-Type", "application/partial-upload");
        using HttpResponseMessage response = await app.Client.IetfAsync("PATCH", url, Newest, content, ("Upload-Offset", offset), ("Upload-Complete", complete));
        int expected = complete.Contains(" ;", StringComparison.Ordinal) ? 400 : 204;
        Assert.Equal(expected, (int)response.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Append_without_completeness_is_last_up_to_version_6_and_400_later(int version)
    {
        foreach (string? malformed in new[] { null, "1", "?1, ?1", "yes" })
        {
            await using IetfApp app = await IetfApp.StartAsync();
            string url = await app.Client.BeginAsync(version);
            var content = new ByteArrayContent(File);
            content.Headers.TryAddWithoutValidation("Content-Type", "application/partial-upload");
            (string, string)[] headers = malformed is null ? [("Upload-Offset", "0")] : [("Upload-Offset", "0"), (Completeness(version, true).Name, malformed)];
            using HttpResponseMessage response = await app.Client.IetfAsync("PATCH", url, version, content, headers);
            Assert.Equal((version, version <= 6 ? 204 : 400), (version, (int)response.StatusCode));
            Assert.Equal((version <= 6 ? 10 : 0, version <= 6), await app.Client.StateAsync(url));
        }
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Last_append_returns_response_of_the_handler(string place, string wire)
    {
        foreach (int status in new[] { 200, 404, 409, 422, 500 })
        {
            await using IetfApp app = await IetfApp.StartAsync(place, wire, answer: _ => new HandlerResponse(status, "The handler's words.", place == TusApp.Endpoint ? "/made" : null));
            using HttpResponseMessage single = await app.Client.CreateAsync(true, File);
            string url = await app.Client.BeginAsync();
            using HttpResponseMessage part = await app.Client.AppendAsync(url, 0, false, File[..3]);
            using HttpResponseMessage last = await app.Client.AppendAsync(url, 3, true, File[3..]);
            Assert.Equal((status, "10", status == 500 ? "?0" : "?1"), last.State());
            Assert.Equal(await ReadAsync(single), await ReadAsync(last));

            // A 500 is not final: the sweep at start may have run the handler once more.
            Assert.InRange(app.Seen.Count, 2, status == 500 ? int.MaxValue : 2);
        }

        static async Task<(int, string?, string?, string)> ReadAsync(HttpResponseMessage response) =>
            ((int)response.StatusCode, response.Header("Location"), response.Header("Content-Type"), await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Partial_append_is_acknowledged_in_its_version(int version)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        string url = await app.Client.BeginAsync(version);
        using HttpResponseMessage response = await app.Client.AppendAsync(url, 0, false, File[..4], version);
        Assert.Equal((version <= 6 ? 201 : 204, "4"), ((int)response.StatusCode, response.Header("Upload-Offset")));
        (string name, string value) = Completeness(version, false);
        Assert.Equal(value, response.Header(name));
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Empty_last_append_completes_upload(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File);
        Assert.Empty(app.Seen);
        using HttpResponseMessage last = await app.Client.AppendAsync(created.Header("Location")!, 10, true, []);
        Assert.Equal(("10", "?1"), (last.Header("Upload-Offset"), last.Header("Upload-Complete")));
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Lost_final_response_is_replayed_from_version_9_on(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire, answer: static call => new HandlerResponse(200, $"Call {call}."));
        string url = await app.Client.BeginAsync();
        using HttpResponseMessage lost = await app.Client.AppendAsync(url, 0, true, File);
        foreach (int? version in new int?[] { 9, 10, null })
        {
            foreach (HttpContent nothing in new[] { new ByteArrayContent([]), ProblemExpectations.Chunked([]) })
            {
                using HttpResponseMessage again = await app.Client.AppendAsync(url, 10, true, nothing, version);
                Assert.Equal((200, "10", "?1"), again.State());
                Assert.Equal("Call 1.", await again.Content.ReadAsStringAsync());
            }
        }

        Assert.Single(app.Seen);
    }

    [Theory]
    [InlineData(3, 400, "completed-upload", 400, "completed-upload")]
    [InlineData(4, 400, "completed-upload", 400, "completed-upload")]
    [InlineData(5, 400, "completed-upload", 400, "completed-upload")]
    [InlineData(6, 400, "completed-upload", 400, "completed-upload")]
    [InlineData(7, 400, "completed-upload", 400, "completed-upload")]
    [InlineData(8, 410, "completed-upload", 400, "inconsistent-upload-length")]
    [InlineData(9, 204, null, 400, "inconsistent-upload-length")]
    [InlineData(10, 204, null, 400, "inconsistent-upload-length")]
    public async Task Append_to_complete_upload_is_rejected(int version, int empty, string? emptyType, int content, string contentType)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        string url = await app.Client.BeginAsync(version);
        using HttpResponseMessage last = await app.Client.AppendAsync(url, 0, true, File, version);
        Assert.Equal(204, (int)last.StatusCode);

        using HttpResponseMessage withoutContent = await app.Client.AppendAsync(url, 10, true, [], version);
        Assert.Equal(empty, (int)withoutContent.StatusCode);
        if (emptyType is not null)
        {
            await withoutContent.ProblemAsync(empty, Registered + emptyType);
        }

        foreach (bool isLast in new[] { true, false })
        {
            using HttpResponseMessage withContent = await app.Client.AppendAsync(url, 10, isLast, File, version);
            await withContent.ProblemAsync(content, Registered + contentType);
        }

        Assert.Equal((10, true), await app.Client.StateAsync(url));
        Assert.Single(app.Seen);
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Rejection_by_the_protocol_is_marked_incomplete(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File[..4], Newest, ("Upload-Length", "10"));
        string url = created.Header("Location")!;
        using HttpResponseMessage conflict = await app.Client.AppendAsync(url, 4, false, File[4..], Newest, ("Upload-Length", "11"));
        Assert.Equal((400, "4", "?0"), conflict.State());
        using HttpResponseMessage mismatch = await app.Client.AppendAsync(url, 5, false, File[5..]);
        Assert.Equal((409, "4", "?0"), mismatch.State());
    }

    [Theory]
    [InlineData(TusApp.ReadyMade)]
    [InlineData(TusApp.Endpoint)]
    public async Task Exception_of_the_handler_is_503_and_can_be_retried(string place)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, answer: static call => call == 1 ? throw new InvalidOperationException() : new HandlerResponse(200, "Done."));
        string url = await app.Client.BeginAsync();
        using HttpResponseMessage failed = await app.Client.AppendAsync(url, 0, true, File);
        Assert.Equal((503, "10", "?0"), failed.State());
        await failed.ProblemAsync(503, Own + "handler-failed");
        using HttpResponseMessage again = await app.Client.AppendAsync(url, 10, true, []);
        Assert.Equal((200, "10", "?1"), again.State());
    }

    [Fact]
    public async Task Content_encoding_of_creation_applies_and_offsets_count_encoded_bytes()
    {
        await using IetfApp app = await IetfApp.StartAsync();
        byte[] coded = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0];
        string url = await app.Client.BeginAsync(Newest, ("Content-Encoding", "gzip"), ("Upload-Length", "8"));
        using HttpResponseMessage part = await app.Client.AppendAsync(url, 0, false, coded[..5]);
        Assert.Equal("5", part.Header("Upload-Offset"));
        using HttpResponseMessage last = await app.Client.AppendAsync(url, 5, true, coded[5..]);
        Assert.Equal("?1", last.Header("Upload-Complete"));
        Assert.Equal(coded, Assert.Single(app.Seen).Content);
    }
}
