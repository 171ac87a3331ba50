using System.Net;
using System.Text.RegularExpressions;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Hosting.Dashboard;

public class DashboardSearchTests
{
    [Fact]
    public async Task Form_finds_upload_by_the_characters_of_the_log_by_id_and_by_key()
    {
        await using DashboardApp app = await DashboardApp.StartAsync();
        for (int i = 0; i < 3; i++)
        {
            (await app.App.Client.AppendAsync($"f{i}", 0, [1], 2, ("X-File-Name", $"name{i}.txt"))).Dispose();
        }

        ManagedUpload upload = Assert.Single((await app.Manager.ListAsync(new UploadListQuery())).Uploads, static upload => upload.FileName == "name1.txt");
        foreach (string query in (string[])
            [$"?owner=&id={upload.Key.Id[..8]}", $"?owner={upload.Key.Owner}&id={upload.Key.Id}", $"?owner=&id=+{upload.Key.Owner}/{upload.Key.Id}+", $"?id={upload.Key.Id}&state=Receiving"])
        {
            string page = await app.GetPageAsync(query);
            Assert.Equal("name1.txt", Assert.Single(Regex.Matches(page, "<bdi[^>]*>([^<]*)</bdi>")).Groups[1].Value);
        }

        Assert.Contains("No uploads.", await app.GetPageAsync($"?id={upload.Key.Id}&state=Completed"), StringComparison.Ordinal);
        Assert.Contains("No uploads.", await app.GetPageAsync($"?owner=other&id={upload.Key.Id}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Search_text_is_encoded_and_kept()
    {
        await using DashboardApp app = await DashboardApp.StartAsync();
        (await app.App.Client.AppendAsync("f", 0, [1], 2)).Dispose();
        const string Text = "\"><script>alert(1)</script>";
        string page = await app.GetPageAsync($"?owner={Uri.EscapeDataString("o" + Text)}&id={Uri.EscapeDataString("i" + Text.Replace("/", ""))}");
        Assert.DoesNotContain("<script>", page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("value=\"o&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\"", page, StringComparison.Ordinal);
        Assert.Contains("value=\"i&quot;&gt;&lt;script&gt;alert(1)&lt;script&gt;\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Action_returns_to_the_search()
    {
        await using DashboardApp app = await DashboardApp.StartAsync();
        (await app.App.Client.AppendAsync("f", 0, [1], 2)).Dispose();
        string id = Assert.Single((await app.Manager.ListAsync(new UploadListQuery())).Uploads).Key.Id;
        using HttpResponseMessage response = await app.ClickAsync(await app.GetPageAsync($"?id={id}"), "cancel");
        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        Assert.Contains($"id={id}", response.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }
}
