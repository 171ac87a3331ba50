using System.Text;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols;

/// <summary>Text that a later response would repeat, with characters that a server cannot send, is rejected at creation.</summary>
public class RejectedTextTests
{
    [Theory]
    [InlineData("text/\u00e9")]
    [InlineData("text/plain; name=\u0001")]
    [InlineData("text/plain; name=\u007f")]
    public async Task Content_type_with_other_characters_is_rejected(string contentType)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        using HttpResponseMessage fileId = await app.Client.AppendAsync("f", 0, new ByteArrayContent([1]), 4, TusApp.Url, ("Content-Type", contentType));
        await AssertRejectedAsync(fileId, "bad-content-type");
        using HttpResponseMessage ietf = await app.Client.CreateAsync(false, [], headers: ("Content-Type", contentType));
        await AssertRejectedAsync(ietf, "bad-content-type");
    }

    /// <summary>The metadata of tus is returned as it was sent, so a type that is not printable is only ignored.</summary>
    [Theory]
    [InlineData("text/\u00e9")]
    [InlineData("text/plain; name=\u0001")]
    [InlineData("text/plain; name=\u007f")]
    public async Task Content_type_with_other_characters_in_metadata_of_tus_is_ignored(string contentType)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.Endpoint);
        foreach (string key in new[] { "filetype", "type" })
        {
            string metadata = $"{key} {Convert.ToBase64String(Encoding.UTF8.GetBytes(contentType))}";
            using HttpResponseMessage tus = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Length", "0"), ("Upload-Metadata", metadata));
            Assert.Equal((201, null), ((int)tus.StatusCode, app.Seen.Last().ContentType));
        }
    }

    [Theory]
    [InlineData("final;/files/\u00e9")]
    [InlineData("final;/files/\u0001")]
    public async Task Upload_Concat_with_other_characters_is_rejected(string concat)
    {
        await using TusApp app = await TusApp.StartAsync(TusApp.ReadyMade);
        using HttpResponseMessage response = await app.Client.TusAsync("POST", TusApp.Url, null, ("Upload-Concat", concat));
        await AssertRejectedAsync(response, "bad-concat");
    }

    private static async Task AssertRejectedAsync(HttpResponseMessage response, string type)
    {
        Assert.Equal(400, (int)response.StatusCode);
        Assert.Contains($"urn:resumable-uploads:{type}", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
