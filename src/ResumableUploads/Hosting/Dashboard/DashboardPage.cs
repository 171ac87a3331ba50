using Microsoft.AspNetCore.Antiforgery;

namespace ResumableUploads.Hosting.Dashboard;

/// <summary>The page of the dashboard.</summary>
internal sealed class DashboardPage
{
    private readonly HtmlWriter _html = new();

    /// <summary>Gets the path of the page, encoded for a URL, without a slash at its end.</summary>
    public required string Path { get; init; }

    /// <summary>Gets the URL of the page without a query.</summary>
    public string Url => Path.Length == 0 ? "/" : Path;

    public required DashboardView View { get; init; }

    public required UploadStatistics Statistics { get; init; }

    public required UploadPage Uploads { get; init; }

    public required AntiforgeryTokenSet Token { get; init; }

    public required DateTimeOffset Now { get; init; }

    /// <summary>Gets whether the user can download content.</summary>
    public required bool HasDownloads { get; init; }

    /// <summary>Gets the text about the last action, or null.</summary>
    public string? Result { get; init; }

    /// <summary>Returns the page as HTML.</summary>
    public string Render()
    {
        _html.Write($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{(Result is null ? "Uploads" : Result + " Uploads")}</title>
            <link rel="stylesheet" href="{Path}/dashboard.css?v={DashboardAsset.Version}">
            <script src="{Path}/dashboard.js?v={DashboardAsset.Version}" defer></script>
            </head>
            <body data-events="{Path}/events{View.ToQueryString()}">
            <a class="skip" href="#uploads">Skip to the list of uploads</a>
            <header><h1>Uploads</h1><p id="live" role="status"></p></header>
            <main>
            """);
        if (Result is not null)
        {
            _html.Write($"""<p id="result" class="result" role="status">{Result}</p>""");
        }

        Dictionary<string, string> numbers = DashboardNumbers.From(Statistics, Now);
        WriteNumbers(numbers);
        WriteStores(numbers);
        WriteSearch();
        WriteFilters();
        new DashboardTable(_html, this).Write();
        WritePages();
        new DashboardUsage(_html, this).Write();
        _html.Write($"</main></body></html>");
        return _html.ToString();
    }

    private void WriteNumbers(Dictionary<string, string> numbers)
    {
        _html.Write($"""
            <section aria-labelledby="now"><h2 id="now">This process</h2>
            <dl>
            <div><dt>Active appends</dt><dd data-number="{DashboardNumbers.Appends}">{numbers[DashboardNumbers.Appends]}</dd></div>
            <div><dt>Preemptions, last hour</dt><dd data-number="{DashboardNumbers.Preemptions}">{numbers[DashboardNumbers.Preemptions]}</dd></div>
            <div><dt>Refusals, last hour</dt><dd data-number="{DashboardNumbers.Refusals}">{numbers[DashboardNumbers.Refusals]}</dd></div>
            </dl>
            <ul id="refusals" aria-label="Refusals of the last hour by problem type">
            """);
        foreach ((string problem, long count) in Statistics.RecentRefusals.OrderByDescending(static refusal => refusal.Value))
        {
            _html.Write($"<li>{problem}: {count}</li>");
        }

        _html.Write($"</ul></section>");
    }

    private void WriteStores(Dictionary<string, string> numbers)
    {
        _html.Write($"""
            <section aria-labelledby="stores"><h2 id="stores">Stores, as of their last sweep</h2>
            <div class="wide" tabindex="0" role="region" aria-label="Table of stores"><table>
            <thead><tr><th scope="col">Store</th><th scope="col">In progress</th><th scope="col">Received or failed</th><th scope="col">Dead-lettered</th><th scope="col">Completed</th><th scope="col">Free space</th><th scope="col">Last sweep</th></tr></thead>
            <tbody>
            """);
        for (int i = 0; i < Statistics.Stores.Count; i++)
        {
            _html.Write($"""<tr><th scope="row">{Statistics.Stores[i].Name}</th>""");
            foreach (string name in (string[])["receiving", "received", "dead-lettered", "completed", "free", "sweep"])
            {
                string number = DashboardNumbers.OfStore(i, name);
                _html.Write($"""<td data-number="{number}">{numbers[number]}</td>""");
            }

            _html.Write($"</tr>");
        }

        _html.Write($"</tbody></table></div></section>");
    }

    private void WriteSearch()
    {
        _html.Write($"""
            <section aria-labelledby="find"><h2 id="find">Find uploads</h2>
            <form method="get" action="{Url}" role="search" aria-labelledby="find">
            <label>Owner <input name="owner" value="{View.Owner}" maxlength="80" autocomplete="off" spellcheck="false"></label>
            <label>Id, its first characters, or key <input name="id" value="{View.Id}" maxlength="161" autocomplete="off" spellcheck="false"></label>
            """);
        if (View.State is { } state)
        {
            _html.Write($"""<input type="hidden" name="state" value="{state.ToString()}">""");
        }

        _html.Write($"<button>Find</button></form></section>");
    }

    private void WriteFilters()
    {
        _html.Write($"""<nav aria-label="States"><ul>""");
        WriteFilter(null, "All");
        foreach (ManagedUploadState state in Enum.GetValues<ManagedUploadState>())
        {
            WriteFilter(state, DashboardText.State(state));
        }

        _html.Write($"</ul></nav>");
        if (View.Owner is { } owner)
        {
            _html.Write($"""
                <p>Only uploads of the owner <code>{owner}</code>. <a href="{Url}{(View with { Owner = null, After = null }).ToQueryString()}">Show all owners</a></p>
                """);
        }

        if (View.Id is { } id)
        {
            _html.Write($"""
                <p>Only uploads whose id begins with <code>{id}</code>. <a href="{Url}{(View with { Id = null, After = null }).ToQueryString()}">Show all ids</a></p>
                """);
        }
    }

    private void WriteFilter(ManagedUploadState? state, string text)
    {
        string href = Url + (View with { State = state, After = null }).ToQueryString();
        if (state == View.State)
        {
            _html.Write($"""<li><a href="{href}" aria-current="page">{text}</a></li>""");
        }
        else
        {
            _html.Write($"""<li><a href="{href}">{text}</a></li>""");
        }
    }

    private void WritePages()
    {
        _html.Write($"""<nav aria-label="Pages"><ul>""");
        if (View.After is not null)
        {
            _html.Write($"""<li><a href="{Url}{(View with { After = null }).ToQueryString()}">First page</a></li>""");
        }

        if (Uploads.Continuation is { } continuation)
        {
            _html.Write($"""<li><a rel="next" href="{Url}{(View with { After = continuation }).ToQueryString()}">Next page</a></li>""");
        }

        _html.Write($"</ul></nav>");
    }
}
