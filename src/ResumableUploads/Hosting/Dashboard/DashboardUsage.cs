namespace ResumableUploads.Hosting.Dashboard;

/// <summary>The tables of the dashboard with the uploads of the endpoints and of the owners.</summary>
internal sealed class DashboardUsage(HtmlWriter html, DashboardPage page)
{
    public void Write()
    {
        WriteStart("endpoints", "Use by endpoint, as of the last sweep", "Endpoint", "Protocol");
        foreach (UploadStoreStatistics store in page.Statistics.Stores)
        {
            foreach (UploadEndpointUsage usage in store.Endpoints)
            {
                html.Write($"""<tr><th scope="row">{usage.Endpoint ?? (usage.Protocol is null ? "Others" : "Unknown")}</th><td>{usage.Protocol}</td>""");
                WriteTotals(store, usage.Totals);
            }
        }

        html.Write($"</tbody></table></div></section>");
        WriteStart("owners", "Owners with the most bytes, as of the last sweep", "Owner", null);
        foreach (UploadStoreStatistics store in page.Statistics.Stores)
        {
            foreach (UploadOwnerUsage usage in store.Owners)
            {
                string href = page.Url + new DashboardView(null, usage.Owner, null, null).ToQueryString();
                html.Write($"""<tr><th scope="row"><a href="{href}#uploads" title="{usage.Owner}">{DashboardText.ShortOwner(usage.Owner)}</a></th>""");
                WriteTotals(store, usage.Totals);
            }
        }

        html.Write($"</tbody></table></div></section>");
    }

    private void WriteStart(string id, string title, string name, string? detail)
    {
        html.Write($"""
            <section aria-labelledby="{id}"><h2 id="{id}">{title}</h2>
            <div class="wide" tabindex="0" role="region" aria-label="Table of {id}"><table>
            <thead><tr><th scope="col">{name}</th>
            """);
        if (detail is not null)
        {
            html.Write($"""<th scope="col">{detail}</th>""");
        }

        html.Write($"""<th scope="col">Store</th><th scope="col">Uploads</th><th scope="col">Bytes</th></tr></thead><tbody>""");
    }

    private void WriteTotals(UploadStoreStatistics store, UploadTotals totals) =>
        _ = html.Write($"<td>{store.Name}</td><td>{totals.Count}</td><td>{DashboardText.Bytes(totals.Bytes)}</td></tr>");
}
