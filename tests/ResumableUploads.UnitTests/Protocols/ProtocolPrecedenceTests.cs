using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols;

/// <summary>Requests with the headers of several protocols: operating systems add those of the IETF draft to every upload.</summary>
public class ProtocolPrecedenceTests
{
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(10);

    public static TheoryData<string, string, string> Combinations { get; } = new(
        from place in (string[])[TusApp.ReadyMade, TusApp.Mapped, TusApp.Endpoint]
        from protocol in (string[])[ProtocolClient.FileId, ProtocolClient.Tus]
        from completeness in (string[])["Upload-Complete: ?0", "Upload-Complete: ?1", "Upload-Incomplete: ?1"]
        select (place, protocol, completeness));

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task Headers_of_IETF_draft_are_ignored(string place, string protocol, string completeness)
    {
        (string Name, string Value)[] added = [("Upload-Draft-Interop-Version", "3"), (completeness.Split(": ")[0], completeness.Split(": ")[1])];
        await using TusApp app = await TusApp.StartAsync(place);
        string url = await app.Client.BeginAsync(protocol, TusApp.Url, File[..4], File.Length, added);
        Assert.Equal((200, "4"), await app.Client.GetOffsetAsync(protocol, url, added));
        using HttpResponseMessage last = await app.Client.FinishAsync(protocol, url, 4, File[4..], added);
        Assert.True(last.IsSuccessStatusCode);
        Assert.Null(last.Header("Upload-Complete") ?? last.Header("Upload-Incomplete") ?? last.Header("Upload-Draft-Interop-Version"));
        Assert.Equal(File, Assert.Single(app.Seen).Content);
    }

    [Theory]
    [MemberData(nameof(TusApp.Places), MemberType = typeof(TusApp))]
    public async Task File_id_and_tus_headers_return_400(string place)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        await app.Client.SendFileIdAsync("POST", TusApp.Url, File, ("Tus-Resumable", "1.0.0"), ("Upload-Length", "10")).AssertProblemAsync(400, "bad-two-protocols");
        string url = await app.Client.CreateAsync(TusApp.Url, File.Length);
        await app.Client.TusAsync("PATCH", url, File, ("X-File-Id", "f"), ("Upload-Offset", "0")).AssertProblemAsync(400, "bad-two-protocols");
        await app.Client.SendFileIdAsync("DELETE", TusApp.Url, null, ("Tus-Resumable", "1.0.0")).AssertProblemAsync(400, "bad-two-protocols");
        Assert.Equal(0, await app.Client.OffsetAsync(url));
        Assert.Empty(app.Seen);
    }

    [Theory]
    [InlineData(ProtocolClient.Tus)]
    [InlineData(ProtocolClient.Ietf)]
    public async Task Content_Range_returns_400_in_tus_and_IETF_draft(string protocol)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        await app.Client.SendFirstAsync(protocol, TusApp.Url, File[..4], 10, ("Content-Range", "bytes 0-3/10")).AssertProblemAsync(400, "bad-content-range");
        string url = await app.Client.BeginAsync(protocol, TusApp.Url, File[..4], 10);
        await app.Client.FinishAsync(protocol, url, 4, File[4..], ("Content-Range", "bytes 4-9/10")).AssertProblemAsync(400, "bad-content-range");
        Assert.Equal((protocol == ProtocolClient.Tus ? 200 : 204, "4"), await app.Client.GetOffsetAsync(protocol, url));
        Assert.Empty(app.Seen);
    }
}
