using System.Net;
using System.Text.RegularExpressions;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Hosting.Dashboard;

public partial class DashboardPageTests
{
    [Fact]
    public async Task Hostile_file_name_is_encoded()
    {
        await using DashboardApp app = await DashboardApp.StartAsync();
        const string Name = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>.txt";
        (await app.App.Client.AppendAsync("f", 0, [1], 2, ("X-File-Name", Uri.EscapeDataString(Name)), ("Content-Type", "text/<b>"))).Dispose();

        string page = await app.GetPageAsync("?state=%3Cscript%3E&owner=%3Cscript%3E&action=%3Cscript%3E&result=%3Cscript%3E");
        string all = page + await app.GetPageAsync();

        Assert.Contains("&quot;&gt;&lt;script&gt;alert(1)", all, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>", all, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<img", all, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Page_has_no_inline_script_or_style()
    {
        await using DashboardApp app = await DashboardApp.StartAsync();
        (await app.App.Client.AppendAsync("f", 0, [1], 2)).Dispose();
        string page = await app.GetPageAsync();
        Assert.DoesNotMatch(@"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page);
        Assert.Equal(2, Link().Count(page));
        foreach (Match link in Link().Matches(page))
        {
            using HttpResponseMessage response = await app.Operator.GetAsync(link.Groups[1].Value);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    [Fact]
    public async Task Canceled_upload_is_removed()
    {
        await using DashboardApp app = await DashboardApp.StartAsync();
        (await app.App.Client.AppendAsync("f", 0, [1], 2)).Dispose();
        string page = await app.GetPageAsync("?state=Receiving");
        Assert.Contains("<progress max=\"2\" value=\"1\"", page, StringComparison.Ordinal);

        string after = await FollowAsync(app, await app.ClickAsync(page, "cancel"));

        Assert.Contains("The upload was removed.", after, StringComparison.Ordinal);
        Assert.Contains("No uploads.", after, StringComparison.Ordinal);
        Assert.Equal(0, await app.App.Client.StatusAsync("f"));
        Assert.Single(app.App.Log.Lines, static line => line.Contains("[310]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Dead_lettered_upload_runs_again()
    {
        int runs = 0;
        await using DashboardApp app = await DashboardApp.StartAsync(uploads: options =>
        {
            options.Handler.MaxAttempts = 1;
            options.OnCompleted = (_, _) => Interlocked.Increment(ref runs) > 1 ? Task.CompletedTask : throw new InvalidOperationException("Injected failure.");
        });
        (await app.App.Client.AppendAsync("f", 0, [1], 1)).Dispose();
        string page = await app.GetPageAsync("?state=DeadLettered");
        Assert.Contains("The handler failed (1 attempt). It does not run again.", page, StringComparison.Ordinal);

        string after = await FollowAsync(app, await app.ClickAsync(page, "retry"));

        Assert.Contains("The handler runs again", after, StringComparison.Ordinal);
        await Testing.Eventually.TrueAsync(() => Volatile.Read(ref runs) == 2, "the handler ran again");
    }

    [Fact]
    public async Task Dead_lettered_upload_is_discarded()
    {
        await using DashboardApp app = await DashboardApp.StartAsync(uploads: static options =>
        {
            options.Handler.MaxAttempts = 1;
            options.OnCompleted = static (_, _) => throw new InvalidOperationException("Injected failure.");
        });
        (await app.App.Client.AppendAsync("f", 0, [1], 1)).Dispose();

        string after = await FollowAsync(app, await app.ClickAsync(await app.GetPageAsync(), "discard"));

        Assert.Contains("The upload was removed.", after, StringComparison.Ordinal);
        Assert.Empty((await app.Manager.ListAsync(new UploadListQuery())).Uploads);
    }

    [Fact]
    public async Task Next_links_lead_to_each_upload_once()
    {
        await using DashboardApp app = await DashboardApp.StartAsync(static options => options.PageSize = 2);
        for (int i = 0; i < 5; i++)
        {
            (await app.App.Client.AppendAsync($"f{i}", 0, [1], 2, ("X-File-Name", $"name{i}.txt"))).Dispose();
        }

        var names = new List<string>();
        int pages = 0;
        for (string? query = ""; query is not null; pages++)
        {
            string page = await app.GetPageAsync(query);
            names.AddRange(Name().Matches(page).Select(static match => match.Groups[1].Value));
            Match next = Next().Match(page);
            query = next.Success ? WebUtility.HtmlDecode(next.Groups[1].Value) : null;
        }

        Assert.Equal(3, pages);
        Assert.Equal(["name0.txt", "name1.txt", "name2.txt", "name3.txt", "name4.txt"], names.Order());
    }

    [Fact]
    public async Task Upload_that_was_completed_since_the_page_was_loaded_is_not_canceled()
    {
        await using DashboardApp app = await DashboardApp.StartAsync();
        (await app.App.Client.AppendAsync("f", 0, [1], 2)).Dispose();
        string page = await app.GetPageAsync();
        (await app.App.Client.AppendAsync("f", 1, [2], 2)).Dispose();

        string after = await FollowAsync(app, await app.ClickAsync(page, "cancel"));

        Assert.Contains("The state of the upload has changed.", after, StringComparison.Ordinal);
        Assert.Equal(ManagedUploadState.Completed, Assert.Single((await app.Manager.ListAsync(new UploadListQuery())).Uploads).State);
    }

    [Theory]
    [InlineData("store")]
    [InlineData("upload-created")]
    [InlineData("upload-state")]
    [InlineData("upload-id")]
    public async Task Form_without_a_field_returns_400(string field)
    {
        await using DashboardApp app = await DashboardApp.StartAsync();
        (await app.App.Client.AppendAsync("f", 0, [1], 2)).Dispose();
        using HttpResponseMessage response = await app.ClickAsync((await app.GetPageAsync()).Replace($"name=\"{field}\"", "name=\"other\"", StringComparison.Ordinal), "cancel");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(1, await app.App.Client.StatusAsync("f"));
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded", 70_000)]
    [InlineData("multipart/form-data; boundary=b", 10)]
    [InlineData("application/json", 2)]
    public async Task Invalid_form_returns_400(string contentType, int length)
    {
        await using DashboardApp app = await DashboardApp.StartAsync();
        await app.GetPageAsync();
        using var content = new ByteArrayContent([.. Enumerable.Repeat((byte)'a', length)]);
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        using HttpResponseMessage response = await app.Operator.PostAsync("/uploads/actions", content);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Dashboard_at_the_root_links_to_itself()
    {
        await using DashboardApp app = await DashboardApp.StartAsync(pattern: "/");
        (await app.App.Client.AppendAsync("f", 0, [1], 2)).Dispose();
        string page = await app.Operator.GetStringAsync("/");
        Assert.Contains("<a href=\"/\"", page, StringComparison.Ordinal);
        Assert.Contains("action=\"/actions\"", page, StringComparison.Ordinal);
        using HttpResponseMessage response = await app.Operator.PostAsync("/actions", DashboardApp.CreateForm(page, "cancel"));
        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        Assert.StartsWith("/?", response.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invalid_continuation_returns_400()
    {
        await using DashboardApp app = await DashboardApp.StartAsync();
        using HttpResponseMessage response = await app.Operator.GetAsync("/uploads?after=%3Cscript%3E");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Use_of_endpoints_and_owners_is_shown_after_the_sweep()
    {
        await using DashboardApp app = await DashboardApp.StartAsync(uploads: static options =>
        {
            options.Timeouts.SweepInterval = TimeSpan.FromSeconds(1);
            options.Owner = static context => context.Request.Headers["X-Owner"].ToString();
        });
        (await app.App.Client.AppendAsync("f", 0, new byte[2048], 5000, ("X-Owner", "ann"))).Dispose();
        (await app.App.Client.AppendAsync("g", 0, new byte[3], 5, ("X-Owner", "bob"))).Dispose();
        UploadStoreStatistics store = null!;
        await Testing.Eventually.TrueAsync(
            async () => (store = Assert.Single((await app.Manager.GetStatisticsAsync()).Stores)).Owners.Count == 2, "a sweep has counted both owners");
        UploadEndpointUsage endpoint = Assert.Single(store.Endpoints);
        Assert.Equal(("/upload", "file-id", new UploadTotals(2, 2051)), (endpoint.Endpoint, endpoint.Protocol, endpoint.Totals));
        Assert.Equal([new UploadTotals(1, 2048), new UploadTotals(1, 3)], store.Owners.Select(static owner => owner.Totals));

        string page = await app.GetPageAsync();

        Assert.Contains("<th scope=\"row\">/upload</th><td>file-id</td>\n<td>FileSystemUploadStore</td><td>2</td><td>2 KiB</td></tr>", page, StringComparison.Ordinal);
        string ofOwner = await app.GetPageAsync(WebUtility.HtmlDecode(OwnerLink().Match(page).Groups[1].Value));
        Assert.Contains($"Only uploads of the owner <code>{store.Owners[0].Owner}</code>", ofOwner, StringComparison.Ordinal);
        Assert.Single(Name().Matches(ofOwner));
    }

    private static async Task<string> FollowAsync(DashboardApp app, HttpResponseMessage response)
    {
        using (response)
        {
            Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
            string location = response.Headers.Location!.OriginalString;
            Assert.StartsWith("/uploads?", location, StringComparison.Ordinal);
            return await app.GetPageAsync(location["/uploads".Length..]);
        }
    }

    [GeneratedRegex("(?:href|src)=\"(/uploads/dashboard[^\"]*)\"")]
    private static partial Regex Link();

    [GeneratedRegex("<bdi[^>]*>([^<]*)</bdi>")]
    private static partial Regex Name();

    [GeneratedRegex("<th scope=\"row\"><a href=\"/uploads([^\"#]*)#uploads\"")]
    private static partial Regex OwnerLink();

    [GeneratedRegex("rel=\"next\" href=\"/uploads([^\"]*)\"")]
    private static partial Regex Next();
}
