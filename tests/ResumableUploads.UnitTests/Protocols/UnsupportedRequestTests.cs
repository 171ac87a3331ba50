using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols;

/// <summary>Requests to ready-made paths that are not uploads of any protocol, although they look like one.</summary>
public class UnsupportedRequestTests
{
    private const string Form = "multipart/form-data; boundary=x";
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(10);

    [Theory]
    [InlineData(TusApp.ReadyMade, ProtocolClient.FileId)]
    [InlineData(TusApp.ReadyMade, ProtocolClient.Tus)]
    [InlineData(TusApp.ReadyMade, ProtocolClient.Ietf)]
    [InlineData(TusApp.Mapped, ProtocolClient.FileId)]
    [InlineData(TusApp.Mapped, ProtocolClient.Tus)]
    [InlineData(TusApp.Mapped, ProtocolClient.Ietf)]
    public async Task Form_returns_415_and_stores_nothing(string place, string protocol)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        await app.Client.SendFirstAsync(protocol, TusApp.Url, File, File.Length, DescribeForm(protocol)).AssertProblemAsync(415, "form");
        if (protocol == ProtocolClient.FileId)
        {
            Assert.Equal((200, "0"), await app.Client.GetOffsetAsync(protocol, TusApp.Url));
        }

        Assert.Empty(app.Seen);
    }

    [Theory]
    [MemberData(nameof(ProtocolClient.Protocols), MemberType = typeof(ProtocolClient))]
    public async Task Endpoint_accepts_form(string protocol)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Endpoint);
        using HttpResponseMessage response = await app.Client.SendFirstAsync(protocol, TusApp.Url, File, File.Length, DescribeForm(protocol));
        Assert.True(response.IsSuccessStatusCode);
    }

    [Theory]
    [InlineData(TusApp.ReadyMade, "Upload-Length: 10")]
    [InlineData(TusApp.ReadyMade, "Upload-Defer-Length: 1")]
    [InlineData(TusApp.ReadyMade, "Upload-Concat: final;/files/0123456789012345678901234567890123456789")]
    [InlineData(TusApp.Mapped, "Upload-Length: 10")]
    public async Task Tus_creation_without_version_returns_412(string place, string header)
    {
        await using TusApp app = await TusApp.StartAsync(place);
        using HttpResponseMessage response = await PostAsync(app, header);
        await response.ProblemAsync(412, "urn:resumable-uploads:tus-version");
        Assert.Equal(("1.0.0", "1.0.0"), (response.Header("Tus-Version"), response.Header("Tus-Resumable")));
    }

    [Fact]
    public async Task Request_with_length_of_tus_and_no_version_reaches_endpoint()
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Endpoint);
        using HttpResponseMessage response = await PostAsync(app, "Upload-Length: 10");
        Assert.True(response.IsSuccessStatusCode);
        Assert.Single(app.Seen);
    }

    [Theory]
    [InlineData("X-File-Id", "f")]
    [InlineData("Upload-Complete", "?0")]
    public async Task Length_of_tus_in_other_protocol_is_ignored(string name, string value)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        using HttpResponseMessage response = await PostAsync(app, "Upload-Length: 10", (name, value));
        Assert.True(response.IsSuccessStatusCode);
    }

    private static Task<HttpResponseMessage> PostAsync(TusApp app, string header, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, TusApp.Url) { Content = new ByteArrayContent([]) };
        foreach ((string name, string value) in headers.Append((header.Split(": ")[0], header.Split(": ")[1])))
        {
            request.Headers.Add(name, value);
        }

        return app.Client.SendAsync(request);
    }

    /// <summary>Describes the content as a form: in tus, only the metadata does.</summary>
    private static (string, string) DescribeForm(string protocol) => protocol == ProtocolClient.Tus
        ? ("Upload-Metadata", $"filetype {Convert.ToBase64String(Encoding.ASCII.GetBytes(Form))}")
        : ("Content-Type", Form);
}
