using Microsoft.AspNetCore.Builder;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

public class TusMetadataEventTests
{
    [Fact]
    public async Task Events_see_metadata_and_whether_the_upload_is_a_part()
    {
        var creating = new List<(bool IsPart, string? Album)>();
        IReadOnlyDictionary<string, string>? completed = null;
        await using TestApp app = await EndpointApp.StartAsync(app => app.MapResumableUploads("/files", options =>
        {
            options.OnCreating = (upload, _) =>
            {
                creating.Add((upload.IsPart, upload.Metadata.GetValueOrDefault("album")));
                return Task.CompletedTask;
            };
            options.OnCompleted = (upload, _) =>
            {
                completed = upload.Metadata;
                return Task.CompletedTask;
            };
        }));
        await app.Client.CreateAsync("/files", 3, ("Upload-Concat", "partial"));
        string url = await app.Client.CreateAsync("/files", 1, ("Upload-Metadata", "album c3VtbWVy,empty,binary /w=="));
        using HttpResponseMessage chunk = await app.Client.AppendChunkAsync(url, 0, [1]);
        Assert.Equal([(true, null), (false, "summer")], creating);
        Assert.Equal(new Dictionary<string, string> { ["album"] = "summer", ["empty"] = "" }, completed);
    }
}
