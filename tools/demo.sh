#!/usr/bin/env bash
# The reference plant (虚构): raw readings and documents → a closed, sealed, explained inventory of 2025 and its report.
set -euo pipefail
cd "$(dirname "$0")/.."
ZF="${ZF:-zf}"
export ZF_LANG="${ZF_LANG:-zh}"
say() { if [ "$ZF_LANG" = en ]; then printf '\n\033[1m== %s\033[0m\n' "$2"; else printf '\n\033[1m== %s\033[0m\n' "$1"; fi; }

rm -rf demo
say "1 建账: 一座虚构的年产30万辆整车厂(上海)" "1 Open the book of a fictional plant of 300 000 vehicles a year (Shanghai)"
"$ZF" init demo --example car-plant
"$ZF" check -w demo

say "2 单位写错的文件在门口被拦下, 什么也没写入(退出码 2)" "2 A file with a wrong unit is stopped at the door; nothing is written (exit code 2)"
if "$ZF" import -w demo demo/inbox/wrong/*.xlsx; then echo "the wrong file was let in" >&2; exit 1; fi

say "3 导入全年 15 分钟读数和凭证(含一个内容重复的文件)" "3 Import a year of quarter-hour readings and documents (one file comes twice)"
"$ZF" import -w demo demo/inbox/*.*
say "3b 迟到的更正" "3b A late correction"
"$ZF" import -w demo demo/inbox/late/*

say "4 逐月封存 2025 年" "4 Close 2025, month by month"
"$ZF" close -w demo --period 2025 --known-at 2026-01-15
"$ZF" verify -w demo

say "4b 月末的实时数就是封存数; 表计采得怎样, 表配得够不够" "4b The live figure at the month's end is the closed one; how well meters report, and whether there are enough"
"$ZF" live -w demo --once --by site
"$ZF" health -w demo --period 2025-12

say "5 清单: 同一本账, 三个标准, 两种电力口径" "5 The inventory: one book, three standards, two views of electricity"
"$ZF" inventory show -w demo --period 2025 --standard iso_14064_1_2018 --regime location
"$ZF" inventory show -w demo --period 2025 --standard ghg_protocol_corporate --regime market_annual
"$ZF" inventory show -w demo --period 2025 --standard cn_machinery_2015 --by category
"$ZF" inventory show -w demo --period 2025 --by shop

say "5b 价值链(范围三, 类别 3 至 6)单列, 及其重要性判定" "5b The value chain (scope 3, categories 3 to 6) apart, and its significance test"
"$ZF" inventory show -w demo --period 2025 --scope 3 --standard ghg_protocol_corporate
"$ZF" inventory significance -w demo --period 2025

say "5c 不确定度: 误差传播与蒙特卡洛并列, 方差从哪里来" "5c Uncertainty: propagation beside Monte Carlo, and where the variance is from"
"$ZF" inventory show -w demo --period 2025 --uncertainty

say "5d 同一批电量, 六个口径" "5d One book of electricity under six claim regimes"
"$ZF" electricity compare -w demo --period 2025

say "5e 一辆车的碳足迹: 从摇篮到大门" "5e The footprint of one vehicle, cradle to gate"
"$ZF" footprint show -w demo --product petrol-sedan --period 2025

say "5e2 过去一个月的电费与气费, 由读数算出" "5e2 The bill of a past month, from the readings"
"$ZF" energy bill -w demo --period 2025-07

say "5f 建什么: 全年选型, 现状与方案在各口径下的费用与吨数" "5f What to build: a year's sizing, cost and tonnes before and after under every regime"
"$ZF" energy size -w demo --period 2025 --out demo/energy

say "5g 怎么运行: 在实测的三天上, 滚动调度与无储能、峰谷规则、完全预知并列" "5g How to run it: three measured days, rolling dispatch beside no store, the rule and perfect foresight"
"$ZF" energy backtest -w demo --from 2025-07-22 --days 3 --step 60 --build battery=60000

say "5h 后地板怎么造: 冲压焊接、热成形、铝板、一体化压铸并列" "5h How to make a rear floor: stamped, hot-stamped, aluminium sheet, integrally cast"
"$ZF" route compare -w demo --year 2025

say "5h2 何时开哪台: 压铸车间两天, 交期不变、碳更少; 故障后重排" "5h2 What to run when: two days of the casting shop, due dates kept, less carbon; re-planned after a breakdown"
"$ZF" schedule solve -w demo --goal carbon --limit tardiness=+0% --seconds 15 --out demo/schedule
"$ZF" schedule check -w demo --schedule demo/schedule/schedule.csv
"$ZF" schedule replan -w demo --schedule demo/schedule/schedule.csv --at 2025-07-10T12:00 --down oven-2=2025-07-10T12:00/2025-07-10T16:00 --goal tardiness --stay 5 --seconds 10

say "5h3 整车线一天: 交期不变、碳更少; 再与储能调度轮流优化; 配餐上线与多厂分单" "5h3 A day of the car line: due dates kept, less carbon; then in turns with the battery; kits and tugger tours, orders over plants"
"$ZF" schedule line -w demo --day 2025-07-10 --out demo/line
"$ZF" co-optimise -w demo --day 2025-07-10 --build battery=60000
"$ZF" schedule feed -w demo --day 2025-07-10
"$ZF" schedule plants -w demo

say "5i 少用料: 分条、排样、剪切、配料; 省下的千克进同一本账" "5i Less material: slit, nest, sheet, mix; what is saved ends in the same book"
"$ZF" material slit -w demo --out demo/cutting
"$ZF" material nest -w demo --time 5 --out demo/cutting
"$ZF" material sheet -w demo --out demo/cutting
"$ZF" material mix -w demo --out demo/cutting
"$ZF" import -w demo demo/cutting/slit-activities.csv

say "5i2 从缺陷到吨: 报废返工、一个百分点的价值、报废件回炉" "5i2 From defect to tonnes: scrap and rework, what a point is worth, scrap back in the charge"
"$ZF" scrap account --period 2025-03 -w demo --out demo/quality
"$ZF" scrap value --period 2025-03 -w demo
"$ZF" scrap charge --period 2025-03 -w demo --out demo/quality

say "5j 货怎么运: 路线与车型, ISO 14083 运输链, 凭证入账; 车队的一天" "5j How goods move: ways and vehicles, ISO 14083 chains, documents into the book; the fleet's day"
"$ZF" logistics plan -w demo --pareto 4 --out demo/logistics
"$ZF" import -w demo demo/logistics/activities-2026.csv
"$ZF" logistics fleet -w demo --day 2025-12-18 --seconds 5 --out demo/logistics

say "5k 数字孪生: 用十一个月的读数拟合, 第十二个月检验; 再模拟一周" "5k The digital twin: fitted to eleven months, tested on the twelfth; then a week simulated"
"$ZF" twin calibrate -w demo --holdout 2025-12 --write
"$ZF" twin run -w demo --from 2025-12-08 --runs 4
"$ZF" twin now -w demo --at 2025-12-09T10:20
"$ZF" twin run -w demo --from 2025-12-09T10:20 --days 1 --runs 4

say "6 打开一个数字" "6 Open a figure"
"$ZF" explain -w demo gas-ovens@2025-03

say "6b 绿证: 重号、过期、他人的整份被拒; 好的入账, 不改动已封存的 2025 年" "6b Certificates: serials twice, expired, another's are refused as a whole; good ones are booked and leave the sealed year alone"
if "$ZF" instruments import -w demo --registry gec demo/registry/wrong/*.csv; then echo "the wrong export was let in" >&2; exit 1; fi
"$ZF" instruments import -w demo --registry gec demo/registry/*.csv
"$ZF" instruments show -w demo
"$ZF" instruments calendar -w demo

say "6c 碳中和声明: 这座厂不满足, 逐条说明" "6c A declaration of neutrality: this plant may not, and is told why, clause by clause"
if "$ZF" declare -w demo --period 2025 --standard iso_14068_1_2023; then echo "a plant that is not neutral was declared" >&2; exit 1; fi

say "6d 按标准评价: 全部标准, 再看汽车零碳工厂建议稿与差距" "6d Evaluation: every standard, then the proposal for car plants and the gap"
"$ZF" evaluate -w demo --all --period 2025
"$ZF" evaluate -w demo --standard auto_zero_carbon_factory --period 2025 --gap

say "7 报告" "7 The report"
mkdir -p demo/reports
"$ZF" report -w demo --form iso_14064 --period 2025 --out demo/reports/iso_14064-2025.pdf
"$ZF" report -w demo --form iso_14064 --period 2025 --out demo/reports/iso_14064-2025.xlsx

say "8 核查包: 签名, 不用工作区逐条重算" "8 The verification package: signed, and recomputed without the workspace"
keys="$(mktemp -d)"
trap 'rm -rf "$keys"' EXIT
"$ZF" key new --out "$keys/signing.pem"
"$ZF" package -w demo --period 2025 --sign-key "$keys/signing.pem" --out demo/package-2025.zip
"$ZF" verify demo/package-2025.zip

say "完成: demo/reports/iso_14064-2025.pdf, demo/package-2025.zip" "Done: demo/reports/iso_14064-2025.pdf, demo/package-2025.zip"

# On a terminal the demo ends with an address to open; SERVE=0, or a run that nobody watches, only builds and prints.
if [ "${SERVE:-1}" != 0 ] && [ -t 1 ]; then
  say "在浏览器里打开(Ctrl-C 结束)" "Open it in a browser (Ctrl-C ends)"
  "$ZF" serve -w demo
else
  say "在浏览器里看: zf serve -w demo" "See it in a browser: zf serve -w demo"
fi
