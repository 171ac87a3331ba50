using System.Text;
using System.Text.Json;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>The length of an upload (draft-ietf-httpbis-resumable-upload-12, sections 4.1.3 and 7.2).</summary>
public class IetfLengthTests
{
    private static readonly byte[] File = Encoding.ASCII.GetBytes("0123456789");

    public static TheoryData<string, string> Everywhere => IetfApp.Everywhere;

    public static TheoryData<int> Versions => IetfClient.Versions;

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Reaching_the_length_does_not_complete_upload(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        using HttpResponseMessage created = await app.Client.CreateAsync(false, File[..4], Newest, ("Upload-Length", "10"));
        using HttpResponseMessage all = await app.Client.AppendAsync(created.Header("Location")!, 4, false, File[4..]);
        Assert.Equal((204, "10", "?0"), all.State());
        Assert.Empty(app.Seen);
        using HttpResponseMessage last = await app.Client.AppendAsync(created.Header("Location")!, 10, true, []);
        Assert.Equal("?1", last.Header("Upload-Complete"));
        Assert.Single(app.Seen);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("?1")]
    [InlineData("10.0")]
    [InlineData("ten")]
    [InlineData("10, 11")]
    [InlineData("9999999999999999")]
    public async Task Invalid_length_is_ignored(string length)
    {
        await using IetfApp app = await IetfApp.StartAsync();
        string url = await app.Client.BeginAsync(Newest, ("Upload-Length", length));
        using HttpResponseMessage head = await app.Client.HeadAsync(url);
        Assert.Null(head.Header("Upload-Length"));
        using HttpResponseMessage last = await app.Client.AppendAsync(url, 0, true, File, Newest, ("Upload-Length", length));
        Assert.Equal("?1", last.Header("Upload-Complete"));
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Last_content_length_determines_upload_length(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        string url = await app.Client.BeginAsync();
        using HttpResponseMessage stated = await app.Client.AppendAsync(url, 0, false, File[..4], Newest, ("Upload-Length", "10"));
        using HttpResponseMessage head = await app.Client.HeadAsync(url);
        Assert.Equal("10", head.Header("Upload-Length"));
        foreach (byte[] wrong in new[] { File[5..], File[4..9], [] })
        {
            using HttpResponseMessage conflict = await app.Client.AppendAsync(url, 4, true, wrong);
            await conflict.ProblemAsync(400, Registered + "inconsistent-upload-length");
            Assert.Equal((4, false), await app.Client.StateAsync(url));
        }

        using HttpResponseMessage last = await app.Client.AppendAsync(url, 4, true, File[4..]);
        Assert.Equal("?1", last.Header("Upload-Complete"));
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Contradictory_lengths_in_one_request_return_400(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        using HttpResponseMessage creation = await app.Client.CreateAsync(true, File, Newest, ("Upload-Length", "11"));
        JsonElement problem = await creation.ProblemAsync(400, Registered + "inconsistent-upload-length");
        Assert.Equal("Inconsistent Upload Length Values", problem.GetProperty("title").GetString());
        Assert.False(problem.TryGetProperty("expected-offset", out _));
        string url = await app.Client.BeginAsync();
        using HttpResponseMessage append = await app.Client.AppendAsync(url, 0, true, File, Newest, ("Upload-Length", "9"));
        await append.ProblemAsync(400, Registered + "inconsistent-upload-length");
        Assert.Empty(app.Seen);
        Assert.Equal((0, false), await app.Client.StateAsync(url));
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Length_that_differs_from_known_length_returns_400_and_keeps_upload(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        string url = await app.Client.BeginAsync(Newest, ("Upload-Length", "10"));
        foreach (string length in new[] { "9", "11", "0" })
        {
            using HttpResponseMessage conflict = await app.Client.AppendAsync(url, 0, false, File[..4], Newest, ("Upload-Length", length));
            await conflict.ProblemAsync(400, Registered + "inconsistent-upload-length");
        }

        using HttpResponseMessage last = await app.Client.AppendAsync(url, 0, true, File, Newest, ("Upload-Length", "10"));
        Assert.Equal("?1", last.Header("Upload-Complete"));
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Last_content_that_ends_before_the_length_does_not_complete(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        string url = await app.Client.BeginAsync(Newest, ("Upload-Length", "10"));
        using HttpResponseMessage tooShort = await app.Client.AppendAsync(url, 0, true, ProblemExpectations.Chunked(File[..7]));
        await tooShort.ProblemAsync(400, Registered + "inconsistent-upload-length");
        Assert.Empty(app.Seen);
        Assert.Equal((7, false), await app.Client.StateAsync(url));
        using HttpResponseMessage rest = await app.Client.AppendAsync(url, 7, true, ProblemExpectations.Chunked(File[7..]));
        Assert.Equal("?1", rest.Header("Upload-Complete"));
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Content_beyond_length_removes_upload_from_version_7_on(int version)
    {
        foreach (bool isSized in new[] { true, false })
        {
            await using IetfApp app = await IetfApp.StartAsync();
            string url = await app.Client.BeginAsync(version, ("Upload-Length", "10"));
            using HttpResponseMessage part = await app.Client.AppendAsync(url, 0, false, File[..4], version);
            HttpContent tooMuch = isSized ? new ByteArrayContent([.. File[4..], 1]) : ProblemExpectations.Chunked([.. File[4..], 1]);
            using HttpResponseMessage rejected = await app.Client.AppendAsync(url, 4, false, tooMuch, version);
            await rejected.ProblemAsync(400, Registered + "inconsistent-upload-length");
            if (version >= 7)
            {
                Assert.Null(rejected.Header("Upload-Offset"));
                Assert.Null(await app.Client.StateAsync(url));
                using HttpResponseMessage later = await app.Client.AppendAsync(url, 4, true, File[4..], version);
                Assert.Equal(404, (int)later.StatusCode);
                Assert.Empty(app.Seen);
                continue;
            }

            // Without a content length, the bytes that fit were stored before the excess was detected.
            long offset = isSized ? 4 : 10;
            Assert.Equal((offset, false), await app.Client.StateAsync(url));
            using HttpResponseMessage last = await app.Client.AppendAsync(url, offset, true, File[(int)offset..], version);
            Assert.Equal(204, (int)last.StatusCode);
            Assert.Equal(File, Assert.Single(app.Seen).Content);
        }
    }

    [Theory]
    [MemberData(nameof(Everywhere))]
    public async Task Creation_beyond_its_own_length_creates_nothing(string place, string wire)
    {
        await using IetfApp app = await IetfApp.StartAsync(place, wire);
        foreach (HttpContent content in new[] { new ByteArrayContent(File), ProblemExpectations.Chunked(File) })
        {
            foreach (bool isLast in new[] { true, false })
            {
                using HttpResponseMessage rejected = await app.Client.IetfAsync(
                    "POST", IetfApp.Url, Newest, content, Completeness(Newest, isLast), ("Upload-Length", "9"));
                await rejected.ProblemAsync(400, Registered + "inconsistent-upload-length");
                Assert.Null(rejected.Header("Location"));
            }
        }

        Assert.Empty(app.Seen);
    }
}
