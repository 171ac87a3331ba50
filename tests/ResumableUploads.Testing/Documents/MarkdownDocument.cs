using System.Text.RegularExpressions;

namespace ResumableUploads.Testing.Documents;

/// <summary>The parts of a Markdown document that tests check: code blocks, prose, links and anchors.</summary>
internal sealed partial class MarkdownDocument
{
    private readonly List<CodeBlock> _blocks = [];
    private readonly List<(int Line, string Text)> _prose = [];

    public MarkdownDocument(string markdown)
    {
        string? language = null;
        var code = new List<string>();
        string[] lines = markdown.ReplaceLineEndings("\n").Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string trimmed = lines[i].TrimStart();
            if (!trimmed.StartsWith("```", StringComparison.Ordinal))
            {
                if (language is null)
                {
                    _prose.Add((i + 1, lines[i]));
                }
                else
                {
                    code.Add(lines[i]);
                }
            }
            else if (language is null)
            {
                language = trimmed[3..].Trim().Split(' ')[0];
            }
            else
            {
                _blocks.Add(new CodeBlock(language, i + 1 - code.Count, string.Join('\n', code)));
                language = null;
                code.Clear();
            }
        }
    }

    /// <summary>Gets the lines outside of code blocks.</summary>
    public IReadOnlyList<(int Line, string Text)> Prose => _prose;

    public IEnumerable<CodeBlock> Blocks(params string[] languages) => _blocks.Where(block => languages.Contains(block.Language));

    /// <summary>Returns the targets of links and images, with the line in which they are.</summary>
    public IEnumerable<(int Line, string Target)> Links()
    {
        foreach ((int line, string text) in _prose)
        {
            foreach (Match match in Link().Matches(InlineCode().Replace(text, "`")))
            {
                yield return (line, match.Groups.Values.Skip(1).First(static group => group.Success).Value);
            }
        }
    }

    /// <summary>Returns the anchors that GitHub creates for the headings, and those of <c>id</c> and <c>name</c> attributes.</summary>
    public ISet<string> Anchors()
    {
        var anchors = new HashSet<string>(StringComparer.Ordinal);
        foreach ((_, string text) in _prose)
        {
            if (Heading().Match(text) is { Success: true } heading)
            {
                string slug = Punctuation().Replace(LinkText().Replace(heading.Groups[1].Value, "$1").ToLowerInvariant(), "").Replace(' ', '-');
                string unique = slug;
                for (int number = 1; !anchors.Add(unique); number++)
                {
                    unique = $"{slug}-{number}";
                }
            }

            anchors.UnionWith(HtmlAnchor().Matches(text).Select(static match => match.Groups[1].Value));
        }

        return anchors;
    }

    [GeneratedRegex(@"\]\(<?([^)\s>]+)>?(?: ""[^""]*"")?\)|^\[[^\]]+\]:\s*(\S+)|<(?:a|img)\s[^>]*(?:href|src)=""([^""]+)""")]
    private static partial Regex Link();

    [GeneratedRegex("(`+)(?!`).*?(?<!`)\\1(?!`)")]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"^#{1,6}\s+(.*?)\s*#*$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"\[([^\]]*)\]\([^)]*\)")]
    private static partial Regex LinkText();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();

    [GeneratedRegex(@"<[^>]*\s(?:id|name)=""([^""]+)""")]
    private static partial Regex HtmlAnchor();
}
